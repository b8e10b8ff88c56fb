import { expect, test } from 'vitest';
import { MissingPackets } from '../../../src/client/rtp/missing-packets.ts';

const missingPackets = (options: { nack?: boolean; rtt?: number } = {}) =>
  new MissingPackets({
    nack: options.nack ?? true,
    deadlineMs: () => 200 + (options.rtt ?? 0),
    rttMs: () => options.rtt,
  });

test('a missing packet is asked for after the tolerance for reordering, and again each 1.2 round trips', () => {
  const missing = missingPackets({ rtt: 40 });
  missing.skipped(65_538, 3, 0);
  expect(missing.nextMs()).toBe(5);
  expect(missing.due(4)).toEqual([]);
  expect(missing.due(5)).toEqual([65_535, 65_536, 65_537]);
  expect(missing.arrived(65_536)).toBe(true);
  expect(missing.arrived(65_536)).toBe(false);
  expect(missing.due(52)).toEqual([]);
  expect(missing.due(53)).toEqual([65_535, 65_537]);
});

test('over a long path each request is repeated once soon after', () => {
  const missing = missingPackets({ rtt: 100 });
  missing.skipped(11, 1, 0);
  const times: number[] = [];
  for (let now = 0; now < 299; now += 1) if (missing.due(now).length > 0) times.push(now);
  expect(times).toEqual([5, 20, 125, 140, 245, 260]);
});

test('what is reordered is not asked for', () => {
  const missing = missingPackets();
  missing.skipped(11, 1, 0);
  expect(missing.arrived(10)).toBe(true);
  expect(missing.due(1000)).toEqual([]);
  expect(missing.nextMs()).toBeUndefined();
});

test('asking ends at the deadline, and the packet is lost', () => {
  const missing = missingPackets();
  missing.skipped(11, 1, 0);
  let requests = 0;
  for (let now = 0; now <= 1000; now += 1) requests += missing.due(now).length;
  expect(requests).toBe(10);
  expect(missing.lost).toBe(1);
  expect(missing.size).toBe(0);
});

test('without NACK losses are only counted', () => {
  const missing = missingPackets({ nack: false });
  missing.skipped(11, 2, 0);
  expect(missing.nextMs()).toBe(200);
  expect(missing.due(199)).toEqual([]);
  missing.due(200);
  expect(missing.lost).toBe(2);
});

test('what nobody waits for is given up, and a flood of gaps is bounded', () => {
  const missing = missingPackets();
  missing.skipped(11, 5, 0);
  missing.giveUpBefore(9);
  expect(missing.lost).toBe(3);
  for (let i = 1; i <= 5; i += 1) missing.skipped(i * 1000, 900, 0);
  expect(missing.size).toBe(1000);
});

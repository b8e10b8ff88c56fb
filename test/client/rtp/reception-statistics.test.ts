import { expect, test } from 'vitest';
import { toNtp } from '../../../src/client/rtp/ntp.ts';
import { ReceptionStatistics } from '../../../src/client/rtp/reception-statistics.ts';

const start = Date.UTC(2026, 0, 1);

function receive(statistics: ReceptionStatistics, sequenceNumber: number, timestamp = 0, nowMs = start) {
  const arrival = statistics.classify(sequenceNumber);
  if (arrival.kind !== 'stray') statistics.received(timestamp, arrival.kind !== 'old', nowMs);
  return arrival;
}

test('the fraction lost is of the interval, the cumulative loss of all', () => {
  const statistics = new ReceptionStatistics(90_000);
  expect(statistics.report(1, start)).toBeUndefined();
  for (let i = 0; i < 100; i += 1) if (i % 4 !== 3) receive(statistics, (65_500 + i) & 0xffff);
  receive(statistics, (65_500 + 100) & 0xffff);
  const first = statistics.report(1, start)!;
  expect(first.cumulativeLost).toBe(25);
  expect(first.fractionLost).toBe(Math.floor((25 * 256) / 101));
  expect(first.highestSequence).toBe(65_536 + 64);
  for (let i = 101; i < 200; i += 1) receive(statistics, (65_500 + i) & 0xffff);
  expect(statistics.report(1, start)).toMatchObject({ cumulativeLost: 25, fractionLost: 0 });
});

test('a block tells the last sender report and the time since', () => {
  const statistics = new ReceptionStatistics(90_000);
  receive(statistics, 1);
  statistics.senderReport({ seconds: 0x1234_5678, fraction: 0x9abc_def0 }, start);
  expect(statistics.report(1, start + 500)).toMatchObject({
    lastSenderReport: 0x5678_9abc,
    delaySinceLastSenderReport: 32_768,
  });
  statistics.senderReport(toNtp(start), start);
});

test('jitter is nil for an even stream and follows RFC 3550 A.8 for an uneven one', () => {
  const even = new ReceptionStatistics(90_000);
  for (let i = 0; i < 100; i += 1) receive(even, i, 3000 * i, start + (i * 1000) / 30);
  expect(even.jitterMs).toBeLessThan(0.02);
  const uneven = new ReceptionStatistics(90_000);
  // Every other picture is 8 ms late: differences of 8 ms each time.
  for (let i = 0; i < 300; i += 1) receive(uneven, i, 3000 * i, start + (i * 1000) / 30 + (i % 2) * 8);
  expect(uneven.jitterMs).toBeCloseTo(8, 0);
});

test('numbers are placed: new, old, a jump ahead, a restart behind', () => {
  const statistics = new ReceptionStatistics(90_000);
  expect(receive(statistics, 65_535)).toMatchObject({ kind: 'new', skipped: 0 });
  expect(receive(statistics, 2)).toMatchObject({ kind: 'new', skipped: 2 });
  expect(receive(statistics, 0)).toMatchObject({ kind: 'old' });
  expect(statistics.locate(1)).toBeDefined();
  expect(statistics.locate(3)).toBeUndefined();
  expect(receive(statistics, 20_000)).toMatchObject({ kind: 'jump' });
  // One packet far behind is a stray, two in a row are a restart.
  expect(receive(statistics, 100)).toEqual({ kind: 'stray' });
  expect(receive(statistics, 20_001)).toMatchObject({ kind: 'new', skipped: 0 });
  expect(receive(statistics, 100)).toEqual({ kind: 'stray' });
  expect(receive(statistics, 101)).toMatchObject({ kind: 'jump' });
  expect(statistics.report(1, start)).toMatchObject({ cumulativeLost: 0 });
});

test('extended numbers only grow at jumps, so that order stays order', () => {
  const statistics = new ReceptionStatistics(90_000);
  const places = [100, 101, 30_000, 5, 6, 7].map((number) => receive(statistics, number));
  const sequences = places.flatMap((arrival) => ('sequence' in arrival ? [arrival.sequence] : []));
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
});

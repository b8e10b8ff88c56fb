import { expect, test } from 'vitest';
import { toNtp } from '../../../src/client/rtp/ntp.ts';
import { SenderClock } from '../../../src/client/rtp/sender-clock.ts';

const start = Date.UTC(2026, 0, 1);
const report = (ms: number, rtpTimestamp: number) => ({
  type: 'sender-report' as const,
  ssrc: 1,
  ntp: toNtp(ms),
  rtpTimestamp: rtpTimestamp >>> 0,
  packetCount: 0,
  octetCount: 0,
  reports: [],
});

test('capture times follow the reports, across the wrap of the timestamp, for days', () => {
  const clock = new SenderClock(90_000);
  expect(clock.captureTimeMs(0)).toBeUndefined();
  const first = 0xffff_0000;
  for (let second = 0; second < 3 * 86_400; second += 600) {
    clock.report(report(start + second * 1000, first + second * 90_000));
    const frame = (first + second * 90_000 + 45_000) >>> 0;
    expect(clock.captureTimeMs(frame)).toBeCloseTo(start + second * 1000 + 500, 1);
  }
});

test('of reports that are late by chance, the least late counts', () => {
  const clock = new SenderClock(90_000);
  [12, 35, 3, 20, 28].forEach((lateMs, second) => {
    clock.report(report(start + second * 1000 + lateMs, second * 90_000));
  });
  expect(clock.captureTimeMs(5 * 90_000)).toBeCloseTo(start + 5000 + 3, 1);
});

test('a step of the sender’s clock is taken over at once', () => {
  const clock = new SenderClock(90_000);
  clock.report(report(start, 0));
  clock.report(report(start + 61_000, 90_000));
  expect(clock.captureTimeMs(90_000)).toBeCloseTo(start + 61_000, 1);
});

test('a report without a clock says nothing', () => {
  const clock = new SenderClock(90_000);
  clock.report({ ...report(start, 0), ntp: { seconds: 0, fraction: 0 } });
  expect(clock.captureTimeMs(0)).toBeUndefined();
});

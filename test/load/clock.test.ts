import { expect, test } from 'vitest';
import { clockOffset, monotonicMs, RunClock } from '../../src/load/clock.ts';

test('the exchange with the shortest round trip tells the offset, and how far it can be off', () => {
  const samples = [
    { sentMs: 100, remoteMs: 5_120, receivedMs: 160 },
    { sentMs: 200, remoteMs: 5_203, receivedMs: 204 },
    { sentMs: 300, remoteMs: 5_390, receivedMs: 400 },
  ];
  expect(clockOffset(samples)).toEqual({ offsetMs: 5_001, errorMs: 2 });
});

test('a clock follows the coordinator, not its own machine', () => {
  const clock = new RunClock();
  expect(Math.abs(clock.now() - Date.now())).toBeLessThan(1_000);
  clock.set(1e12);
  expect(Math.abs(clock.now() - (monotonicMs() + 1e12))).toBeLessThan(5);
});

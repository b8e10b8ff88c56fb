import fc from 'fast-check';
import { expect, test } from 'vitest';
import { systemClock } from '../../../src/client/rtp/clock.ts';
import {
  absSendTime,
  compactNtp,
  compactToMs,
  fromNtp,
  msToCompact,
  roundTripMs,
  toNtp,
} from '../../../src/client/rtp/ntp.ts';

test('known times', () => {
  expect(toNtp(0)).toEqual({ seconds: 2_208_988_800, fraction: 0 });
  expect(toNtp(500.25)).toEqual({ seconds: 2_208_988_800, fraction: Math.round(0.50025 * 2 ** 32) });
  // The era of NTP that began on 7 February 2036.
  expect(toNtp(Date.UTC(2036, 1, 7, 6, 28, 16))).toEqual({ seconds: 0, fraction: 0 });
  expect(fromNtp({ seconds: 0, fraction: 0 })).toBe(Date.UTC(2036, 1, 7, 6, 28, 16));
  expect(compactNtp({ seconds: 0xabcd_1234, fraction: 0x5678_9abc })).toBe(0x1234_5678);
});

test('milliseconds survive the conversion to well below a microsecond', () => {
  const ms = fc.double({ min: 0, max: Date.UTC(2100, 0, 1), noNaN: true });
  fc.assert(
    fc.property(ms, (time) => {
      expect(Math.abs(fromNtp(toNtp(time)) - time)).toBeLessThan(0.001);
    }),
  );
});

test('the clock agrees with the wall clock and never steps back', () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(2000);
  let last = systemClock.now();
  for (let i = 0; i < 10_000; i += 1) {
    const now = systemClock.now();
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

test('the round trip comes out of a report block, across the wrap of the compact time', () => {
  const wrap = Date.UTC(2026, 0, 1) - (compactToMs(compactNtp(toNtp(Date.UTC(2026, 0, 1)))) % 65_536_000);
  for (const sentMs of [Date.UTC(2026, 5, 1), wrap - 20, wrap - 100]) {
    const last = compactNtp(toNtp(sentMs));
    expect(roundTripMs(sentMs + 130, last, msToCompact(80))).toBeCloseTo(50, 0);
  }
});

test('impossible round trips are none', () => {
  const now = Date.UTC(2026, 0, 1);
  expect(roundTripMs(now, 0, 0)).toBeUndefined();
  expect(roundTripMs(now, compactNtp(toNtp(now)), msToCompact(1000))).toBeUndefined();
  expect(roundTripMs(now, compactNtp(toNtp(now - 600_000)), 0)).toBeUndefined();
  expect(roundTripMs(now, compactNtp(toNtp(now)), 1)).toBe(0);
});

test('abs-send-time has 18 bits of fraction and wraps after 64 s', () => {
  expect(absSendTime(0)).toBe(0);
  expect(absSendTime(1000)).toBe(2 ** 18);
  expect(absSendTime(63_999.9999)).toBeLessThan(2 ** 24);
  expect(absSendTime(64_000)).toBe(0);
});

import { expect, test } from 'vitest';
import { DurationHistogram } from '../../../src/load/measure/histogram.ts';

test('keeps three digits from microseconds to an hour, also through its encoding', () => {
  const histogram = new DurationHistogram();
  const values = [0.004, 0.123, 7.77, 150, 2_000, 3_600_000];
  for (const ms of values) histogram.record(ms);
  const decoded = DurationHistogram.decode(histogram.encode());
  expect(decoded.count).toBe(6);
  expect(decoded.percentileMs(50) / 7.77).toBeCloseTo(1, 2);
  expect(decoded.maxMs / 3_600_000).toBeCloseTo(1, 2);
  expect(decoded.meanMs / (values.reduce((sum, ms) => sum + ms) / 6)).toBeCloseTo(1, 2);
});

test('adds up, and begins anew', () => {
  const one = new DurationHistogram();
  const other = new DurationHistogram();
  one.record(10);
  other.record(20);
  other.record(-3);
  one.add(other);
  expect(one.count).toBe(3);
  expect(one.percentileMs(99)).toBeCloseTo(20, 1);
  one.reset();
  expect(one.count).toBe(0);
  expect(one.percentileMs(50)).toBeNaN();
});

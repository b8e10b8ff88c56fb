import { expect, test } from 'vitest';
import { TokenBucket, TokenBuckets } from '../../../src/server/signaling/rate.ts';

test('a burst, then a steady rate, and what is given back can be taken again', () => {
  const bucket = new TokenBucket({ perSecond: 2, burst: 3 }, 0);
  const takes = (now: number, count: number) => Array.from({ length: count }, () => bucket.take(now));
  expect(takes(0, 4)).toEqual([true, true, true, false]);
  expect(takes(499, 1)).toEqual([false]);
  expect(takes(500, 2)).toEqual([true, false]);
  bucket.giveBack();
  expect(takes(500, 2)).toEqual([true, false]);
  for (let i = 0; i < 10; i++) bucket.giveBack();
  expect(takes(500, 4)).toEqual([true, true, true, false]);
  expect(bucket.full(1_000)).toBe(false);
  expect(bucket.full(2_000)).toBe(true);
});

test('keys that have been quiet for long are forgotten', () => {
  const buckets = new TokenBuckets({ perSecond: 1, burst: 2 });
  for (let i = 0; i < 1_000; i++) buckets.take(`${i}`, 0);
  expect(buckets.size).toBe(1_000);
  buckets.take('new', 500);
  expect(buckets.size).toBe(1_001);
  for (let i = 0; i < 1_000; i++) buckets.take(`later ${i}`, 5_000);
  expect(buckets.size).toBeLessThan(1_100);
  buckets.giveBack('nobody');
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { backoffMs } from '../../src/client/backoff.ts';

test('the first attempt comes at once and none waits longer than 1.5 s', () => {
  fc.assert(
    fc.property(fc.nat(1_000), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const wait = backoffMs(attempt, () => random);
      expect(wait).toBeGreaterThanOrEqual(0);
      expect(wait).toBeLessThanOrEqual(1_500);
      if (attempt === 0) expect(wait).toBeLessThanOrEqual(150);
    }),
  );
});

test('it grows and is spread', () => {
  const low = [1, 2, 3].map((attempt) => backoffMs(attempt, () => 0));
  const high = [1, 2, 3].map((attempt) => backoffMs(attempt, () => 1));
  expect(low).toEqual([...low].sort((a, b) => a - b));
  expect(high).toEqual([300, 600, 1_200]);
  for (let i = 0; i < low.length; i++) expect(high[i]).toBeGreaterThan(low[i]! * 2);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cellTicks, unpackTicks } from '../../../src/media/encode/keyframe-grid.ts';

/** What the filters do: the pictures of odd cells, moved together. */
function pack(level: number, ticks: number): number | undefined {
  const cell = cellTicks(level);
  if (level === 0) return ticks;
  const index = Math.floor(ticks / cell);
  return index % 2 === 1 ? ticks - ((index - 1) / 2) * cell : undefined;
}

test('times come back from the packed stream of each level', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 40 }), fc.constantFrom(0, 1, 2, 3), (ticks, level) => {
      const packed = pack(level, ticks);
      if (packed !== undefined) expect(unpackTicks(level, packed)).toBe(ticks);
    }),
  );
});

test('at each eighth of a second exactly one level starts', () => {
  for (let eighth = 0; eighth < 24; eighth += 1) {
    const starting = [0, 1, 2, 3].filter((level) => {
      const cells = (eighth * cellTicks(3)) / cellTicks(level);
      return Number.isInteger(cells) && (level === 0 || cells % 2 === 1);
    });
    expect(starting).toHaveLength(1);
  }
});

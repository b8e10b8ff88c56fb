import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Blocks } from '../../../src/recorder/canvas/blocks.ts';

test('pieces never overlap, and all that is given back can be had again', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(20)), { maxLength: 60 });
  fc.assert(
    fc.property(steps, (list) => {
      const blocks = new Blocks(100, 100_000);
      const held: { at: number; size: number }[] = [];
      for (const [size, victim] of list) {
        const at = blocks.take(size);
        expect(at % 64).toBe(0);
        expect(held.every((other) => at + size <= other.at || other.at + other.size <= at)).toBe(true);
        held.push({ at, size });
        if (victim < held.length) blocks.give(held.splice(victim, 1)[0]!.at);
      }
      for (const { at } of held) blocks.give(at);
      expect(blocks.used).toBe(0);
      expect(blocks.take(99_000)).toBe(128);
    }),
  );
});

test('a piece that is held twice stays until it is given back twice', () => {
  const blocks = new Blocks(0, 1_000);
  const at = blocks.take(100);
  blocks.hold(at);
  blocks.give(at);
  expect(blocks.take(100)).not.toBe(at);
  blocks.give(at);
  expect(blocks.take(100)).toBe(at);
  expect(() => blocks.give(999)).toThrow('given out');
});

test('what does not fit is refused', () => {
  const blocks = new Blocks(0, 1_000);
  expect(() => blocks.take(1_001)).toThrow(expect.objectContaining({ code: 'out-of-memory' }));
});

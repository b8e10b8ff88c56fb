import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clip, clusters, columnsOf, fill, fillStart, wrap } from '../../../src/tui/text/width.ts';

const anything = fc.string({
  unit: fc.oneof(
    fc.constantFrom('a', 'b', ' ', '日', '本', 'é', 'e\u0301', '👍', '👨‍👩‍👧', '🇫🇷', '한', 'ｱ', 'ＡＢ'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 2 }),
  ),
  maxLength: 60,
});
const oneLine = anything.filter((text) => !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text));

test('full-width characters and emoji take two columns, marks none', () => {
  expect(['abc', '日本', 'e\u0301', '👍🏽', '👨‍👩‍👧', '🇫🇷', ''].map(columnsOf)).toEqual([
    3, 4, 1, 2, 2, 2, 0,
  ]);
  expect(clusters('e\u0301👨‍👩‍👧x')).toEqual(['e\u0301', '👨‍👩‍👧', 'x']);
});

test('a line is cut between characters, never within one', () => {
  expect(clip('日本語', 6)).toBe('日本語');
  expect(clip('日本語', 5)).toBe('日本…');
  expect(clip('日本語', 4)).toBe('日…');
  expect(clip('abc', 1)).toBe('…');
  expect(clip('abc', 0)).toBe('');
  expect(fill('日本', 5)).toBe('日本 ');
  expect(fillStart('ab', 4)).toBe('  ab');
});

describe('whatever the text', () => {
  test('filled lines have exactly their columns', () => {
    fc.assert(
      fc.property(oneLine, fc.integer({ min: 1, max: 40 }), (text, columns) => {
        expect(columnsOf(fill(text, columns))).toBe(columns);
      }),
    );
  });

  test('wrapped lines fit, and nothing but spaces is lost', () => {
    fc.assert(
      fc.property(oneLine, fc.integer({ min: 2, max: 40 }), (text, columns) => {
        const lines = wrap(text, columns);
        // Only a single character may be wider than the line.
        for (const line of lines)
          if (clusters(line).length > 1) expect(columnsOf(line)).toBeLessThanOrEqual(columns);
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
      }),
    );
  });
});

test('a megabyte is cut and wrapped in a moment', () => {
  const text = '日本 '.repeat(200_000);
  const began = performance.now();
  clip(text, 80);
  wrap(text.slice(0, 16_384), 50);
  expect(performance.now() - began).toBeLessThan(2_000);
});

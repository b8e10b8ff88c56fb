import fc from 'fast-check';
import { expect, test } from 'vitest';
import { harmless, harmlessLines } from '../../../src/client/chat/text.ts';

test.each([
  ['\u001b[2Jclear', '\ufffd[2Jclear'],
  ['\u001b]0;title\u0007', '\ufffd]0;title\ufffd'],
  ['\u009b31m', '\ufffd31m'],
  ['a\u202egnp.exe', 'a\ufffdgnp.exe'],
  ['a\u2066b\u2069', 'a\ufffdb\ufffd'],
  ['a\u200bb\u00adc', 'a\ufffdb\ufffdc'],
  ['line\rover\nnext\u2028third', 'line\ufffdover\ufffdnext\ufffdthird'],
  ['half \ud83d', 'half \ufffd'],
  [`z${'\u0300'.repeat(40)}`, `z${'\u0300'.repeat(4)}`],
  ['👩‍👩‍👧‍👦 ñ 日本語 עברית می‌خواهم', '👩‍👩‍👧‍👦 ñ 日本語 עברית می‌خواهم'],
])('%j is shown as %j', (text, shown) => {
  expect(harmless(text)).toBe(shown);
});

test('lines stay lines', () => {
  expect(harmlessLines('a\r\nb\rc\n\td\u001b')).toEqual(['a', 'b', 'c', '    d\ufffd']);
});

test('nothing that a terminal acts on is left of any text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      for (const line of [harmless(text), ...harmlessLines(text)]) {
        expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u);
      }
    }),
  );
});

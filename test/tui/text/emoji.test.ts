import { expect, test } from 'vitest';
import {
  drawable,
  EMOJI_SAMPLES,
  type EmojiSupport,
  NO_EMOJI_SEQUENCES,
} from '../../../src/tui/text/emoji.ts';
import { columnsOf } from '../../../src/tui/text/width.ts';

const all = Object.fromEntries(
  Object.keys(EMOJI_SAMPLES).map((name) => [name, true]),
) as unknown as EmojiSupport;
const text = `a${EMOJI_SAMPLES.joined}b${EMOJI_SAMPLES.modifiers}c${EMOJI_SAMPLES.presentation}d${EMOJI_SAMPLES.flags}e${EMOJI_SAMPLES.keycaps}f`;

test('a terminal that knows all sequences gets them as they are', () => {
  expect(drawable(text, all)).toBe(text);
  for (const sample of Object.values(EMOJI_SAMPLES)) expect(columnsOf(sample)).toBe(2);
});

test('one that knows none gets what every terminal counts the same', () => {
  const drawn = drawable(text, NO_EMOJI_SEQUENCES);
  expect(drawn).toBe('a👨b👍c❤dFRe1f');
  expect(columnsOf(drawn)).toBe(6 + 2 + 2 + 1 + 2 + 1);
});

test.each(Object.keys(EMOJI_SAMPLES) as (keyof EmojiSupport)[])(
  'without %s only those are changed',
  (missing) => {
    const support = { ...all, [missing]: false };
    for (const [name, sample] of Object.entries(EMOJI_SAMPLES)) {
      if (name === missing) expect(drawable(sample, support)).not.toBe(sample);
      // A keycap is a digit with a presentation too.
      else if (name !== 'keycaps' || missing !== 'presentation')
        expect(drawable(sample, support)).toBe(sample);
    }
  },
);

/** Colours and measures of what is drawn besides pictures. */
import { graphemes, printable } from '../text/runs.ts';
import type { Rect } from '../types.ts';
import { type Colour, colourOf } from './picture.ts';

/** Behind the tiles. */
export const BACKGROUND: Colour = colourOf([24, 26, 30]);
/** Beside a picture that does not fill its tile. */
export const BARS: Colour = colourOf([10, 11, 13]);
/** Of an avatar's tile, around the disc. */
export const AVATAR_BACKGROUND: Colour = colourOf([44, 47, 54]);
/** Around who speaks. */
export const SPEAKING: Colour = colourOf([52, 199, 89]);

/** Discs of avatars: white letters are readable on each. */
const DISCS: readonly Colour[] = (
  [
    [192, 57, 43],
    [176, 84, 20],
    [139, 110, 0],
    [76, 125, 30],
    [0, 128, 92],
    [0, 121, 140],
    [28, 104, 190],
    [84, 84, 200],
    [130, 70, 190],
    [170, 50, 140],
    [190, 50, 90],
    [110, 90, 80],
  ] as const
).map(colourOf);

/** The colour of a participant's disc: the same wherever the id is shown. */
export function discOf(participantId: string): Colour {
  let hash = 0;
  // The hash of Java's strings.
  for (const character of participantId) hash = (Math.imul(hash, 31) + character.codePointAt(0)!) | 0;
  return DISCS[Math.abs(hash) % DISCS.length]!;
}

/** The first letter of a name, and that of its last word where there are several. */
export function initials(name: string): string {
  const words = printable(name)
    .split(' ')
    .map((word) =>
      graphemes(word).find((character) => /[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(character)),
    )
    .filter((letter) => letter !== undefined);
  const letters = words.length > 1 ? [words[0]!, words.at(-1)!] : words;
  return letters.join('').toUpperCase();
}

/** Pixels of an em of the label on a tile: a twelfth of it, but neither unreadable nor large. */
export function labelSize({ height }: Rect, canvasHeight: number): number {
  const largest = Math.max(12, 2 * Math.round(canvasHeight / 72));
  return Math.min(largest, Math.max(12, 2 * Math.round(height / 24)));
}

/** Width of the frame around who speaks, pixels: even, as colour planes have half of them. */
export function frameWidth({ height }: Rect): number {
  return height >= 120 ? 4 : 2;
}

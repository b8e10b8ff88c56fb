import type { Picture } from '../../media/decode/video-decoder.ts';
import { scale } from './scale.ts';
import type { Place, TilePainter } from './types.ts';

/** Levels of each channel: 216 colours, as many as terminals with 256 registers have room for. */
const LEVELS = 6;
const COLORS = LEVELS ** 3;
/** Rows of a band: one character has six pixels on top of one another. */
const BAND = 6;
/** What a dithered pixel is moved by, in sixteenths of a level (a Bayer matrix). */
const BAYER = [0, 8, 2, 10, 12, 4, 14, 6, 3, 11, 1, 9, 15, 7, 13, 5];
/** The character of no pixel. */
const EMPTY = 63;
/** Shorter runs are shorter written out. */
const MIN_RUN = 4;

/** Draws by sixels (DEC STD 070 chapter 6) in fixed colours with dithering, which costs no search for a palette. */
export class SixelPainter implements TilePainter {
  readonly #cell: { readonly width: number; readonly height: number };

  /** @param cell size of a character cell in pixels */
  constructor(cell: { readonly width: number; readonly height: number }) {
    this.#cell = cell;
  }

  invalidate(): void {}

  paint(picture: Picture, { left, top, columns, rows }: Place): string {
    const width = Math.floor(columns * this.#cell.width);
    const height = Math.floor(rows * this.#cell.height);
    return `\u001b[${top + 1};${left + 1}H${encodeSixels(scale(picture, width, height))}`;
  }

  erase(): string {
    return '';
  }
}

const PALETTE = Array.from({ length: COLORS }, (_, index) => {
  const percent = (level: number) => Math.round((level * 100) / (LEVELS - 1));
  const [red, green, blue] = [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6];
  return `#${index};2;${percent(red)};${percent(green)};${percent(blue)}`;
}).join('');

/** The picture as one sixel sequence. */
export function encodeSixels({ width, height, rgb }: Picture): string {
  const parts = [`\u001bP0;1;0q"1;1;${width};${height}${PALETTE}`];
  const bits = new Uint8Array(COLORS * width);
  const used = new Uint8Array(COLORS);
  for (let top = 0; top < height; top += BAND) {
    bits.fill(0);
    used.fill(0);
    for (let row = 0; row < Math.min(BAND, height - top); row += 1) {
      const y = top + row;
      for (let x = 0; x < width; x += 1) {
        const color = nearest(rgb, (y * width + x) * 3, BAYER[(y & 3) * 4 + (x & 3)]!);
        used[color] = 1;
        bits[color * width + x]! |= 1 << row;
      }
    }
    for (let color = 0; color < COLORS; color += 1) {
      if (used[color] === 1)
        parts.push(`#${color}`, runs(bits.subarray(color * width, (color + 1) * width)), '$');
    }
    parts.push('-');
  }
  parts.push('\u001b\\');
  return parts.join('');
}

function nearest(rgb: Buffer, at: number, threshold: number): number {
  const level = (value: number) => Math.floor((value * (LEVELS - 1)) / 255 + (threshold + 0.5) / 16);
  return level(rgb[at]!) * 36 + level(rgb[at + 1]!) * 6 + level(rgb[at + 2]!);
}

/** One colour of a band, with equal characters counted; what is empty at its end is left out. */
function runs(bits: Uint8Array): string {
  let text = '';
  let end = bits.length;
  while (end > 0 && bits[end - 1] === 0) end -= 1;
  for (let at = 0; at < end; ) {
    let next = at + 1;
    while (next < end && bits[next] === bits[at]) next += 1;
    const character = String.fromCharCode(EMPTY + bits[at]!);
    text += next - at < MIN_RUN ? character.repeat(next - at) : `!${next - at}${character}`;
    at = next;
  }
  return text;
}

/** Pictures drawn with characters: two pixels a cell by half blocks in colour, or by how dense a character is. */
import type { Picture } from '../../media/decode/video-decoder.ts';
import { scale } from './scale.ts';
import type { Place, TilePainter } from './types.ts';

/** `none` is for terminals without colour and for people who want none. */
export type ColorDepth = 'true-color' | '256' | 'none';

const HALF_BLOCK = '▀';
/** From black to white. */
const RAMP = ' .:-=+*#%@';
/** Bits of each channel that are kept: a difference that nobody sees is not worth sending. */
const KEPT_BITS = 0b1111_1100;

/** Draws by characters; a cell that has not changed is not sent again. */
export class CellPainter implements TilePainter {
  readonly #depth: ColorDepth;
  /** What is on the screen: upper and lower colour of each cell in one number. */
  #shown = new Float64Array(0);

  constructor(depth: ColorDepth) {
    this.#depth = depth;
  }

  invalidate(): void {
    this.#shown.fill(-1);
  }

  paint(picture: Picture, place: Place): string {
    const { columns, rows } = place;
    const { rgb } = scale(picture, columns, rows * 2);
    if (this.#shown.length !== columns * rows) this.#shown = new Float64Array(columns * rows).fill(-1);
    const cell = this.#depth === 'none' ? denseCell : this.#depth === '256' ? indexedCell : trueColorCell;
    const state = { foreground: -1, background: -1 };
    let drawn = '';
    for (let row = 0; row < rows; row += 1) {
      let cursorAt = -1;
      for (let column = 0; column < columns; column += 1) {
        const upper = quantized(rgb, (row * 2 * columns + column) * 3);
        const lower = quantized(rgb, ((row * 2 + 1) * columns + column) * 3);
        const key = upper * 0x1_000_000 + lower;
        const index = row * columns + column;
        if (this.#shown[index] === key) continue;
        this.#shown[index] = key;
        if (cursorAt !== column) drawn += `\u001b[${place.top + row + 1};${place.left + column + 1}H`;
        drawn += cell(upper, lower, state);
        cursorAt = column + 1;
      }
    }
    return drawn === '' || this.#depth === 'none' ? drawn : `${drawn}\u001b[0m`;
  }

  erase(): string {
    return '';
  }
}

interface Colors {
  foreground: number;
  background: number;
}

function quantized(rgb: Buffer, at: number): number {
  return ((rgb[at]! & KEPT_BITS) << 16) | ((rgb[at + 1]! & KEPT_BITS) << 8) | (rgb[at + 2]! & KEPT_BITS);
}

function trueColorCell(upper: number, lower: number, state: Colors): string {
  return colored(upper, lower, state, (color) => `2;${color >> 16};${(color >> 8) & 255};${color & 255}`);
}

function indexedCell(upper: number, lower: number, state: Colors): string {
  return colored(indexOf(upper), indexOf(lower), state, (color) => `5;${color}`);
}

function colored(upper: number, lower: number, state: Colors, code: (color: number) => string): string {
  let change = '';
  if (state.foreground !== upper) change = `38;${code(upper)}`;
  if (state.background !== lower) change += `${change === '' ? '' : ';'}48;${code(lower)}`;
  state.foreground = upper;
  state.background = lower;
  return change === '' ? HALF_BLOCK : `\u001b[${change}m${HALF_BLOCK}`;
}

function denseCell(upper: number, lower: number): string {
  const level = (luma(upper) + luma(lower)) / 2;
  return RAMP[Math.min(RAMP.length - 1, Math.floor((level / 256) * RAMP.length))]!;
}

/** BT.601 luma, 0 to 255. */
function luma(color: number): number {
  return 0.299 * (color >> 16) + 0.587 * ((color >> 8) & 255) + 0.114 * (color & 255);
}

/** Levels of a channel in the colour cube of xterm, which begins at index 16; its 24 greys begin at 232. */
const CUBE = [0, 95, 135, 175, 215, 255];
const GREYS = Array.from({ length: 24 }, (_, index) => 8 + 10 * index);
const indexes = new Int16Array(1 << 18).fill(-1);

/** The nearest of the 240 colours of a 256-colour terminal that are the same everywhere. */
function indexOf(color: number): number {
  const [red, green, blue] = [color >> 16, (color >> 8) & 255, color & 255];
  const key = ((red >> 2) << 12) | ((green >> 2) << 6) | (blue >> 2);
  if (indexes[key]! >= 0) return indexes[key]!;
  const cube = [red, green, blue].map((value) => nearest(CUBE, value));
  const grey = nearest(GREYS, (red + green + blue) / 3);
  const distance = (other: readonly number[]) =>
    (red - other[0]!) ** 2 + (green - other[1]!) ** 2 + (blue - other[2]!) ** 2;
  const level = GREYS[grey]!;
  const index =
    distance([level, level, level]) < distance(cube.map((step) => CUBE[step]!))
      ? 232 + grey
      : 16 + 36 * cube[0]! + 6 * cube[1]! + cube[2]!;
  indexes[key] = index;
  return index;
}

function nearest(levels: readonly number[], value: number): number {
  let best = 0;
  levels.forEach((level, index) => {
    if (Math.abs(level - value) < Math.abs(levels[best]! - value)) best = index;
  });
  return best;
}

/** A frame counter drawn as black and white cells that survive 180p at 150 kbit/s. */

export const BARCODE_COLUMNS = 8;
export const BARCODE_ROWS = 3;
const COUNTER_BITS = 16;
const CELLS = BARCODE_COLUMNS * BARCODE_ROWS;

/** Counters run from 0 to this, 36 minutes at 30 frames a second. */
export const MAX_COUNTER = 2 ** COUNTER_BITS - 1;

/** A part of the picture in fractions of its width and height. */
export interface Area {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export const WHOLE_PICTURE: Area = { x: 0, y: 0, width: 1, height: 1 };

/** Where the cells are in the picture. At 320x180 a cell has 32 by 24 pixels. */
export const BARCODE_AREA: Area = { x: 0.1, y: 0.3, width: 0.8, height: 0.4 };

/** Cells darker or brighter than this are read, those between are not: a guess would be a wrong read. */
const BLACK_BELOW = 104;
const WHITE_ABOVE = 152;

/** Share of a cell's side that is left out at each edge, where scaling and filters mix neighbours. */
const CELL_MARGIN = 0.25;

/** CRC-8 (polynomial 0x07, initial 0xff, so that neither an all-black nor an all-white grid is valid). */
function crc8(value: number): number {
  let crc = 0xff;
  for (const byte of [value >> 8, value & 0xff]) {
    crc ^= byte;
    for (let i = 0; i < 8; i++) crc = (crc & 0x80) === 0 ? (crc << 1) & 0xff : ((crc << 1) ^ 0x07) & 0xff;
  }
  return crc;
}

/** The cells of a counter, row by row: 0 is black, 255 white. */
export function barcodeCells(counter: number): Buffer {
  if (!Number.isInteger(counter) || counter < 0 || counter > MAX_COUNTER) {
    throw new RangeError(`counter ${counter} is not within 0 to ${MAX_COUNTER}`);
  }
  const word = counter * 256 + crc8(counter);
  return Buffer.from(Array.from({ length: CELLS }, (_, i) => ((word >> (CELLS - 1 - i)) & 1 ? 255 : 0)));
}

/**
 * Reads the counter from a grey picture of one byte a pixel. `picture` is where the clip's picture lies in
 * it, the whole by default. `undefined` where a cell is neither black nor white or the check fails.
 */
export function readBarcode(
  gray: Uint8Array,
  width: number,
  height: number,
  picture: Area = WHOLE_PICTURE,
): number | undefined {
  const left = (picture.x + BARCODE_AREA.x * picture.width) * width;
  const top = (picture.y + BARCODE_AREA.y * picture.height) * height;
  const cellWidth = (BARCODE_AREA.width * picture.width * width) / BARCODE_COLUMNS;
  const cellHeight = (BARCODE_AREA.height * picture.height * height) / BARCODE_ROWS;
  let word = 0;
  for (let i = 0; i < CELLS; i++) {
    const x = left + (i % BARCODE_COLUMNS) * cellWidth;
    const y = top + Math.floor(i / BARCODE_COLUMNS) * cellHeight;
    const mean = meanOf(gray, width, height, x, y, cellWidth, cellHeight);
    if (mean === undefined || (mean >= BLACK_BELOW && mean <= WHITE_ABOVE)) return undefined;
    word = word * 2 + (mean > WHITE_ABOVE ? 1 : 0);
  }
  const counter = Math.floor(word / 256);
  return crc8(counter) === word % 256 ? counter : undefined;
}

function meanOf(
  gray: Uint8Array,
  width: number,
  height: number,
  x: number,
  y: number,
  cellWidth: number,
  cellHeight: number,
): number | undefined {
  const fromX = Math.round(x + cellWidth * CELL_MARGIN);
  const toX = Math.max(fromX + 1, Math.round(x + cellWidth * (1 - CELL_MARGIN)));
  const fromY = Math.round(y + cellHeight * CELL_MARGIN);
  const toY = Math.max(fromY + 1, Math.round(y + cellHeight * (1 - CELL_MARGIN)));
  if (fromX < 0 || fromY < 0 || toX > width || toY > height || gray.length < width * height) return undefined;
  let sum = 0;
  for (let row = fromY; row < toY; row++) {
    for (let column = fromX; column < toX; column++) sum += gray[row * width + column]!;
  }
  return sum / ((toX - fromX) * (toY - fromY));
}

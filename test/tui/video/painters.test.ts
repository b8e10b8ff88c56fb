/** Pictures as a terminal gets them, read back. */
import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Picture } from '../../../src/media/decode/video-decoder.ts';
import { CellPainter } from '../../../src/tui/video/cells.ts';
import { KittyPainter } from '../../../src/tui/video/kitty.ts';
import { scale } from '../../../src/tui/video/scale.ts';
import { encodeSixels, SixelPainter } from '../../../src/tui/video/sixel.ts';

const place = { left: 2, top: 1, columns: 4, rows: 2 };

/** Each pixel by its place. */
function picture(width: number, height: number, color: (x: number, y: number) => readonly number[]): Picture {
  const rgb = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) Buffer.from(color(x, y)).copy(rgb, (y * width + x) * 3);
  return { width, height, rgb };
}
/** Red grows to the right, green downwards. */
const gradient = (width: number, height: number) =>
  picture(width, height, (x, y) => [Math.floor((x * 252) / width), Math.floor((y * 252) / height), 128]);

test('scaling keeps colours where they are', () => {
  const small = scale(gradient(320, 180), 4, 4);
  expect([...small.rgb.subarray(0, 3)].map((value) => value >> 5)).toEqual([0, 0, 4]);
  const last = [...small.rgb.subarray(-3)];
  expect(last[0]).toBeGreaterThan(200);
  expect(last[1]).toBeGreaterThan(200);
  const large = scale(
    picture(2, 1, (x) => [x * 255, 0, 0]),
    4,
    2,
  );
  expect([...large.rgb].filter((_, index) => index % 3 === 0)).toEqual([0, 0, 255, 255, 0, 0, 255, 255]);
});

/** Reads half blocks back: the colour of each pixel of the area, by row. */
function readCells(text: string): string[][] {
  const pixels: string[][] = Array.from({ length: place.rows * 2 }, () => []);
  let [row, column] = [0, 0];
  let [upper, lower] = ['', ''];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  for (const [, at, colors] of text.matchAll(/\u001b\[([\d;]+)H|\u001b\[([\d;]*)m|▀/g)) {
    if (at !== undefined) [row = 0, column = 0] = at.split(';').map(Number);
    else if (colors !== undefined) {
      upper = /38;((?:2;\d+;\d+;\d+)|(?:5;\d+))/.exec(colors)?.[1] ?? upper;
      lower = /48;((?:2;\d+;\d+;\d+)|(?:5;\d+))/.exec(colors)?.[1] ?? lower;
    } else {
      const line = (row - 1 - place.top) * 2;
      pixels[line]![column - 1 - place.left] = upper;
      pixels[line + 1]![column - 1 - place.left] = lower;
      column += 1;
    }
  }
  return pixels;
}

describe('half blocks', () => {
  test('show two pixels a cell in 24-bit colour, in their place', () => {
    const painter = new CellPainter('true-color');
    const pixels = readCells(painter.paint(gradient(4, 4), place));
    const expected = Array.from({ length: 4 }, (_, y) =>
      Array.from({ length: 4 }, (_, x) => `2;${(x * 63) & 0xfc};${(y * 63) & 0xfc};128`),
    );
    expect(pixels).toEqual(expected);
  });

  test('only what has changed is sent again, until the screen is wiped', () => {
    const painter = new CellPainter('true-color');
    const first = painter.paint(gradient(4, 4), place);
    expect(painter.paint(gradient(4, 4), place)).toBe('');
    const one = gradient(4, 4);
    one.rgb[0] = 255;
    const changed = painter.paint(one, place);
    expect(changed.match(/▀/g)).toHaveLength(1);
    expect(changed).toBe('\u001b[2;3H\u001b[38;2;252;0;128;48;2;0;60;128m▀\u001b[0m');
    painter.paint(gradient(4, 4), place);
    painter.invalidate();
    expect(painter.paint(gradient(4, 4), place)).toBe(first);
  });

  test('in 256 colours, the nearest of the cube and the greys', () => {
    const painter = new CellPainter('256');
    const colors = [
      [255, 0, 0],
      [0, 255, 0],
      [0, 0, 255],
      [255, 255, 255],
      [0, 0, 0],
      [128, 128, 128],
      [95, 135, 175],
      [48, 48, 48],
    ];
    const drawn = painter.paint(
      picture(4, 4, (x, y) => colors[(y >> 1) * 4 + x]!),
      place,
    );
    const pixels = readCells(drawn);
    expect(pixels[0]).toEqual(['5;196', '5;46', '5;21', '5;231']);
    expect(pixels[2]).toEqual(['5;16', '5;244', '5;67', '5;236']);
    expect(pixels[1]).toEqual(pixels[0]);
  });

  test('without colour, denser characters are brighter and no colour is sent', () => {
    const painter = new CellPainter('none');
    const drawn = painter.paint(
      picture(4, 4, (x) => [x * 85, x * 85, x * 85]),
      place,
    );
    expect(drawn.startsWith('\u001b[2;3H')).toBe(true);
    expect(drawn).not.toMatch(/m/);
    const ramp = ' .:-=+*#%@';
    const levels = [...drawn.slice(6, 10)].map((character) => ramp.indexOf(character));
    expect(levels).toEqual([...levels].sort((a, b) => a - b));
    expect(levels.at(-1)).toBe(ramp.length - 1);
  });
});

test('kitty gets the whole picture in pieces, and scales it itself', () => {
  const painter = new KittyPainter(7);
  const shown = picture(320, 180, (x, y) => [(x * y) & 255, x & 255, (y * 7) & 255]);
  const drawn = painter.paint(shown, place);
  expect(drawn.startsWith('\u001b[2;3H\u001b_Ga=T,f=24,o=z,i=7,p=1,C=1,q=2,s=320,v=180,c=4,r=2,m=1;')).toBe(
    true,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  const pieces = Array.from(drawn.matchAll(/\u001b_G([^;]*);([^\u001b]*)\u001b\\/g), ([, keys, data]) => ({
    more: /m=1/.test(keys!),
    data: data!,
  }));
  expect(pieces.length).toBeGreaterThan(1);
  expect(pieces.every(({ data }) => data.length <= 4_096)).toBe(true);
  expect(pieces.map(({ more }) => more)).toEqual(pieces.map((_, index) => index < pieces.length - 1));
  const data = Buffer.from(pieces.map((piece) => piece.data).join(''), 'base64');
  expect(inflateSync(data).equals(shown.rgb)).toBe(true);
  expect(painter.erase()).toBe('\u001b_Ga=d,d=I,i=7,q=2\u001b\\');
});

/** Draws a sixel sequence: the percentages of each pixel. */
function readSixels(text: string): { width: number; height: number; pixels: string[] } {
  const [, width = 0, height = 0] = /"1;1;(\d+);(\d+)/.exec(text)!.map(Number);
  const palette = new Map<number, string>();
  const pixels: string[] = Array.from({ length: width * height }, () => '');
  let [x, y, color] = [0, 0, 0];
  const tokens = text
    .slice(text.indexOf('#'), -2)
    .matchAll(/#(\d+);2;(\d+;\d+;\d+)|#(\d+)|!(\d+)(.)|([$-])|([?-~])/g);
  const put = (character: string, count: number) => {
    const bits = character.charCodeAt(0) - 63;
    for (let i = 0; i < count; i += 1, x += 1)
      for (let row = 0; row < 6; row += 1)
        if (bits & (1 << row)) pixels[(y + row) * width + x] = palette.get(color) ?? '?';
  };
  for (const [token, define, value, use, count, repeated, control, character] of tokens) {
    if (define !== undefined) palette.set(Number(define), value!);
    else if (use !== undefined) color = Number(use);
    else if (count !== undefined) put(repeated!, Number(count));
    else if (control === '$') x = 0;
    else if (control === '-') [x, y] = [0, y + 6];
    else if (character !== undefined) put(character, 1);
    else throw new Error(`What is ${token}?`);
  }
  return { width, height, pixels };
}

describe('sixel', () => {
  test('every pixel is drawn once, in the colours of the picture', () => {
    const colors = picture(10, 8, (x, y) => (y < 4 ? [255, 0, 0] : x < 5 ? [0, 255, 0] : [255, 255, 255]));
    const { width, height, pixels } = readSixels(encodeSixels(colors));
    expect([width, height]).toEqual([10, 8]);
    expect(pixels[0]).toBe('100;0;0');
    expect(pixels[7 * 10]).toBe('0;100;0');
    expect(pixels[7 * 10 + 9]).toBe('100;100;100');
    expect(pixels.every((pixel) => pixel !== '')).toBe(true);
  });

  test('colours between those that there are come out right on the average', () => {
    const { pixels } = readSixels(encodeSixels(picture(64, 60, () => [100, 60, 200])));
    const mean = [0, 1, 2].map(
      (channel) => pixels.reduce((sum, pixel) => sum + Number(pixel.split(';')[channel]), 0) / pixels.length,
    );
    for (const [channel, value] of [100, 60, 200].entries())
      expect(Math.abs(mean[channel]! - (value * 100) / 255)).toBeLessThan(2);
  });

  test('the picture is as large as its cells', () => {
    const drawn = new SixelPainter({ width: 9, height: 18 }).paint(gradient(320, 180), place);
    expect(drawn.startsWith('\u001b[2;3H\u001bP0;1;0q"1;1;36;36')).toBe(true);
    expect(drawn.endsWith('\u001b\\')).toBe(true);
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CapturedPicture, evenSize, pictureBytes, type Size } from '../../../src/media/capture/pixels.ts';

/** BT.601 with limited range as the standard has it, in floating point. */
function reference(bgrx: Uint8Array, { width, height }: Size): Buffer {
  const y: number[] = [];
  const u: number[] = [];
  const v: number[] = [];
  const at = (row: number, column: number) => {
    const pixel = (row * width + column) * 4;
    return { b: bgrx[pixel]!, g: bgrx[pixel + 1]!, r: bgrx[pixel + 2]! };
  };
  for (let row = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1) {
      const { r, g, b } = at(row, column);
      y.push(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255);
    }
  }
  for (let row = 0; row < height; row += 2) {
    for (let column = 0; column < width; column += 2) {
      const four = [at(row, column), at(row, column + 1), at(row + 1, column), at(row + 1, column + 1)];
      const mean = (channel: 'r' | 'g' | 'b') => four.reduce((sum, pixel) => sum + pixel[channel], 0) / 4;
      const [r, g, b] = [mean('r'), mean('g'), mean('b')];
      u.push(128 + (-37.797 * r - 74.203 * g + 112 * b) / 255);
      v.push(128 + (112 * r - 93.786 * g - 18.214 * b) / 255);
    }
  }
  return Buffer.from([...y, ...u, ...v].map(Math.round));
}

function show(picture: CapturedPicture, bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; ) at += picture.take(bytes.subarray(at, at + 1_001));
  expect(picture.whole).toBe(true);
  return picture.finish();
}

const size = fc.record({ width: fc.integer({ min: 1, max: 21 }), height: fc.integer({ min: 1, max: 9 }) });

describe('a captured picture', () => {
  test('is converted as BT.601 says, whatever its size', () => {
    fc.assert(
      fc.property(size, fc.infiniteStream(fc.integer({ min: 0, max: 255 })), (half, values) => {
        const whole = { width: half.width * 2, height: half.height * 2 };
        const bytes = Uint8Array.from(
          { length: whole.width * whole.height * 4 },
          () => values.next().value as number,
        );
        const picture = new CapturedPicture('bgr0', whole);
        expect(show(picture, bytes)).toBe(true);
        const expected = reference(bytes, whole);
        const got = picture.picture();
        const worst = Math.max(...got.map((value, i) => Math.abs(value - expected[i]!)));
        expect(worst).toBeLessThanOrEqual(1);
      }),
      { numRuns: 50 },
    );
  });

  test('knows an exact repeat, and the change of one pixel anywhere', () => {
    const whole = { width: 70, height: 20 };
    const picture = new CapturedPicture('bgr0', whole);
    const bytes = new Uint8Array(whole.width * whole.height * 4).fill(100);
    expect(show(picture, bytes)).toBe(true);
    expect(show(picture, bytes)).toBe(false);
    for (const at of [0, 4 * 63, 4 * 64, bytes.length - 4]) {
      bytes[at] = 200;
      expect(show(picture, bytes)).toBe(true);
      expect(picture.picture()).toEqual(fresh(bytes, whole));
      expect(show(picture, bytes)).toBe(false);
    }
  });

  test('of planes is taken as it is', () => {
    const whole = { width: 8, height: 4 };
    const picture = new CapturedPicture('yuv420p', whole);
    const bytes = Uint8Array.from({ length: pictureBytes(whole) }, (_, i) => i);
    expect(show(picture, bytes)).toBe(true);
    expect(show(picture, bytes)).toBe(false);
    expect(picture.picture()).toEqual(Buffer.from(bytes));
  });

  test('is made smaller by the mean of what each pixel covers', () => {
    const whole = { width: 60, height: 12 };
    const picture = new CapturedPicture('yuv420p', whole);
    const planes = Buffer.alloc(pictureBytes(whole), 80);
    for (let row = 0; row < 12; row += 1)
      for (let x = 0; x < 60; x += 1) planes[row * 60 + x] = x % 3 === 0 ? 30 : 90;
    show(picture, planes);
    const small = picture.picture({ width: 20, height: 4 });
    expect(new Set(small.subarray(0, 80))).toEqual(new Set([70]));
    expect(new Set(small.subarray(80))).toEqual(new Set([80]));
    expect(picture.grey(20, 4)).toEqual(small.subarray(0, 80));
  });

  test('fills all of a smaller one, whatever the ratio', () => {
    fc.assert(
      fc.property(size, size, (a, b) => {
        const whole = { width: a.width * 2, height: a.height * 2 };
        const target = evenSize({
          width: Math.min(whole.width, b.width * 2),
          height: Math.min(whole.height, b.height * 2),
        });
        const picture = new CapturedPicture('yuv420p', whole);
        show(picture, Buffer.alloc(pictureBytes(whole), 77));
        expect(picture.picture(target)).toEqual(Buffer.alloc(pictureBytes(target), 77));
      }),
    );
  });
});

function fresh(bytes: Uint8Array, whole: Size): Buffer {
  const picture = new CapturedPicture('bgr0', whole);
  show(picture, bytes);
  return picture.picture();
}

/** The functions in WebAssembly against what they are to compute, written plainly. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PACKAGE_ROOT } from '../../../src/package-root.ts';
import { PixelMemory } from '../../../src/recorder/canvas/pixels.ts';
import { Scaler } from '../../../src/recorder/canvas/scaler.ts';
import { planesAt } from '../../../src/recorder/canvas/surface.ts';

const memory = new PixelMemory();
const { functions } = memory;

test('assets/canvas.wasm is what native/canvas compiles to', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'canvas-'));
  try {
    const script = join(PACKAGE_ROOT, 'scripts', 'setup', 'canvas.js');
    execFileSync(process.execPath, [script, join(folder, 'canvas.wasm')]);
    const kept = await readFile(join(PACKAGE_ROOT, 'assets', 'canvas.wasm'));
    expect((await readFile(join(folder, 'canvas.wasm'))).equals(kept)).toBe(true);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** A plane of `width` × `height` in memory with a border around it that nothing may write to. */
function plane(width: number, height: number, value: (x: number, y: number) => number) {
  const stride = width + 24;
  const start = memory.take(stride * (height + 2) + 64);
  const bytes = memory.view(start, stride * (height + 2));
  bytes.fill(77);
  const at = start + stride + 12;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) memory.bytes[at + y * stride + x] = value(x, y);
  }
  const pixel = (x: number, y: number) => memory.bytes[at + y * stride + x]!;
  const borderIsWhole = () =>
    bytes.every((byte, index) => {
      const x = (index % stride) - 12;
      const y = Math.floor(index / stride) - 1;
      return (x >= 0 && x < width && y >= 0 && y < height) || byte === 77;
    });
  return { at, stride, width, height, pixel, borderIsWhole, free: () => memory.give(start) };
}

const noise = (x: number, y: number) => (x * 7_919 + y * 104_729 + ((x * y) % 13) * 31) % 256;

/** The triangle that is described at `tabulate`, in floating point. */
function triangle(pixel: (i: number) => number, from: number, to: number, at: number): number {
  const ratio = from / to;
  const reach = Math.max(1, ratio);
  const centre = (at + 0.5) * ratio - 0.5;
  let sum = 0;
  let total = 0;
  for (let i = Math.max(0, Math.ceil(centre - reach)); i <= Math.min(from - 1, centre + reach); i += 1) {
    const weight = Math.max(0, 1 - Math.abs(i - centre) / reach);
    sum += weight * pixel(i);
    total += weight;
  }
  return sum / total;
}

const side = fc.integer({ min: 1, max: 70 });

describe('scaling', () => {
  const scale = (source: ReturnType<typeof plane>, target: ReturnType<typeof plane>) => {
    const table = (from: number, to: number) => {
      const at = memory.take(functions.tableBytes(to));
      functions.tabulate(at, from, to);
      return at;
    };
    const columns = table(source.width, target.width);
    const rows = table(source.height, target.height);
    const line = memory.take(source.width + 32);
    const { at, stride, width, height } = target;
    functions.scale(at, stride, width, height, source.at, source.stride, source.width, columns, rows, line);
    for (const taken of [columns, rows, line]) memory.give(taken);
  };

  test('up, and down to the half, is a triangle in both directions and writes nowhere else', () => {
    fc.assert(
      fc.property(side, side, fc.double({ min: 0.5, max: 4, noNaN: true }), (width, height, factor) => {
        const source = plane(width, height, noise);
        const to = (length: number) => Math.max(1, Math.ceil(length * factor));
        const target = plane(to(width), to(height), () => 0);
        scale(source, target);
        for (let y = 0; y < target.height; y += 1) {
          for (let x = 0; x < target.width; x += 1) {
            const row = (i: number) => triangle((k) => source.pixel(k, i), width, target.width, x);
            const expected = triangle(row, height, target.height, y);
            // Weights have seven bits, and rows are rounded in between.
            expect(Math.abs(target.pixel(x, y) - expected)).toBeLessThan(5);
          }
        }
        expect(target.borderIsWhole()).toBe(true);
        source.free();
        target.free();
      }),
      { numRuns: 60 },
    );
  });

  test('keeps an even picture as it is, at any size', () => {
    fc.assert(
      fc.property(side, side, fc.integer({ min: 0, max: 255 }), (from, to, value) => {
        fc.pre(from <= 2 * to);
        const source = plane(from, from, () => value);
        const target = plane(to, to, () => 0);
        scale(source, target);
        for (let y = 0; y < to; y += 1)
          for (let x = 0; x < to; x += 1) expect(target.pixel(x, y)).toBe(value);
        source.free();
        target.free();
      }),
      { numRuns: 60 },
    );
  });
});

test('a picture that becomes much smaller is averaged: stripes become grey, and not a pattern', () => {
  const [width, height] = [1280, 720];
  const source = memory.take(width * height * 1.5 + 64);
  const target = memory.take(200 * 112 * 1.5 + 64);
  const bytes = memory.view(source, width * height * 1.5);
  bytes.fill(128);
  for (let i = 0; i < width * height; i += 1) bytes[i] = i % 2 === 0 ? 16 : 235;
  const whole = { x: 0, y: 0, width, height };
  const place = { x: 0, y: 0, width: 200, height: 112 };
  new Scaler(memory).draw(planesAt(source, width, height), whole, planesAt(target, 200, 112), place);
  const luma = memory.view(target, 200 * 112);
  expect(Math.min(...luma)).toBeGreaterThan(121);
  expect(Math.max(...luma)).toBeLessThan(131);
  expect(memory.view(target + 200 * 112, 200 * 56).every((value) => value === 128)).toBe(true);
});

describe('painting', () => {
  const weight = fc.integer({ min: 0, max: 256 });
  const value = fc.integer({ min: 0, max: 255 });

  test('through a mask lets as much through as the mask says', () => {
    fc.assert(
      fc.property(side, value, weight, (width, colour, strength) => {
        const target = plane(width, 3, noise);
        const mask = plane(width, 3, (x, y) => noise(y + 5, x));
        functions.paint(target.at, target.stride, mask.at, mask.stride, width, 3, colour, strength);
        for (let x = 0; x < width; x += 1) {
          const share = (noise(6, x) / 255) * (strength / 256);
          const expected = noise(x, 1) * (1 - share) + colour * share;
          expect(Math.abs(target.pixel(x, 1) - expected)).toBeLessThan(4);
        }
        expect(target.borderIsWhole()).toBe(true);
        target.free();
        mask.free();
      }),
    );
  });

  test('with a full mask leaves nothing of what was there, with an empty one all', () => {
    for (const [covered, expected] of [
      [255, 235],
      [0, 16],
    ] as const) {
      const target = plane(21, 2, () => 16);
      const mask = plane(21, 2, () => covered);
      functions.paint(target.at, target.stride, mask.at, mask.stride, 21, 2, 235, 256);
      for (let x = 0; x < 21; x += 1) expect(target.pixel(x, 0)).toBe(expected);
    }
  });

  test('mixing and tinting go from one to the other', () => {
    fc.assert(
      fc.property(side, value, weight, (width, colour, share) => {
        const [a, b] = [plane(width, 2, noise), plane(width, 2, noise)];
        const source = plane(width, 2, () => colour);
        functions.mix(a.at, a.stride, source.at, source.stride, width, 2, share);
        functions.tint(b.at, b.stride, width, 2, colour, share);
        for (let x = 0; x < width; x += 1) {
          const expected = noise(x, 1) + ((colour - noise(x, 1)) * share) / 256;
          expect(Math.abs(a.pixel(x, 1) - expected)).toBeLessThanOrEqual(0.5);
          expect(b.pixel(x, 1)).toBe(a.pixel(x, 1));
        }
        expect(a.borderIsWhole() && b.borderIsWhole()).toBe(true);
        for (const one of [a, b, source]) one.free();
      }),
    );
  });
});

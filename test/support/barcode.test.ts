import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  BARCODE_AREA,
  BARCODE_COLUMNS,
  BARCODE_ROWS,
  barcodeCells,
  MAX_COUNTER,
  readBarcode,
} from './barcode.ts';
import { findBeeps } from './barcode-beeps.ts';
import { barcodeClip } from './barcode-clip.ts';
import { compareAv, reportCounters } from './barcode-compare.ts';
import { runFfmpeg } from './barcode-ffmpeg.ts';
import { readBarcodeFrames, readBeeps } from './barcode-media.ts';

/** A picture that is grey but for the cells. */
function draw(counter: number, width: number, height: number): Buffer {
  const gray = Buffer.alloc(width * height, 128);
  const cells = barcodeCells(counter);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const column = Math.floor(
        ((x + 0.5) / width - BARCODE_AREA.x) / (BARCODE_AREA.width / BARCODE_COLUMNS),
      );
      const row = Math.floor(((y + 0.5) / height - BARCODE_AREA.y) / (BARCODE_AREA.height / BARCODE_ROWS));
      if (column < 0 || column >= BARCODE_COLUMNS || row < 0 || row >= BARCODE_ROWS) continue;
      gray[y * width + x] = cells[row * BARCODE_COLUMNS + column]!;
    }
  }
  return gray;
}

describe('barcode', () => {
  test('a drawn counter is read back at any size', () => {
    const counter = fc.integer({ min: 0, max: MAX_COUNTER });
    const side = fc.integer({ min: 60, max: 400 });
    fc.assert(
      fc.property(counter, side, side, (value, width, height) => {
        expect(readBarcode(draw(value, width, height), width, height)).toBe(value);
      }),
      { numRuns: 60 },
    );
  });

  test('a picture without the cells, or with one cell turned, is not read', () => {
    for (const level of [0, 128, 255]) {
      expect(readBarcode(Buffer.alloc(320 * 180, level), 320, 180)).toBeUndefined();
    }
    for (let cell = 0; cell < BARCODE_COLUMNS * BARCODE_ROWS; cell++) {
      const gray = draw(1234, 80, 30);
      const x = 8 + (cell % BARCODE_COLUMNS) * 8;
      const y = 9 + Math.floor(cell / BARCODE_COLUMNS) * 4;
      for (let row = y; row < y + 4; row++) {
        for (let column = x; column < x + 8; column++)
          gray[row * 80 + column] = 255 - gray[row * 80 + column]!;
      }
      expect(readBarcode(gray, 80, 30)).toBeUndefined();
    }
    expect(readBarcode(Buffer.alloc(5), 320, 180)).toBeUndefined();
  });

  test('counters that are missing, repeated or out of order are told apart', () => {
    const frames = [0, 1, undefined, 3, 3, 6, 5, 9, 0, 1].map((counter, i) => ({ pts: i / 30, counter }));
    expect(reportCounters(frames, { clipFrames: 10 })).toEqual({
      frames: 10,
      unreadable: 1,
      missing: 2 + 3,
      repeated: 1,
      backward: 1,
    });
  });
});

describe('beeps', () => {
  test('are found to half a millisecond, the one at time 0 too', () => {
    const starts = [0, 1.0004, 2.25, 3.5];
    const samples = Float32Array.from({ length: 48_000 * 4 }, (_, n) => {
      const t = n / 48_000;
      const start = starts.find((from) => t >= from && t < from + 0.08);
      return start === undefined
        ? 0.001 * Math.sin(n * 12.9898)
        : 0.4 * Math.sin(2 * Math.PI * 1000 * (t - start));
    });
    const found = findBeeps(samples, 48_000);
    expect(found).toHaveLength(starts.length);
    found.forEach((beep, i) => {
      expect(Math.abs(beep - starts[i]!)).toBeLessThan(0.0005);
    });
  });

  test('silence and a steady tone have none', () => {
    expect(findBeeps(new Float32Array(48_000), 48_000)).toEqual([]);
    expect(findBeeps(new Float32Array(0), 48_000)).toEqual([]);
    const tone = Float32Array.from(
      { length: 48_000 },
      (_, n) => Math.sin((2 * Math.PI * 300 * n) / 48_000) / 99,
    );
    expect(findBeeps(tone, 48_000)).toEqual([]);
  });
});

describe('barcode clip', () => {
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'barcode-'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('has each counter once, in time with a beep a second', async () => {
    for (const container of ['mkv', 'mp4'] as const) {
      const clip = await barcodeClip({ seconds: 4, width: 640, height: 360, container });
      const frames = await readBarcodeFrames(clip);
      expect(frames.map((frame) => frame.counter)).toEqual(Array.from({ length: 120 }, (_, i) => i));
      frames.forEach((frame, i) => {
        expect(Math.abs(frame.pts - i / 30)).toBeLessThanOrEqual(0.001);
      });
      const beeps = await readBeeps(clip);
      expect(beeps).toHaveLength(4);
      for (const { offsetMs } of compareAv(frames, beeps)) expect(Math.abs(offsetMs)).toBeLessThan(2);
    }
  });

  // ffmpeg places the start of Opus sound by its pre-skip of 6.5 ms early when the file begins before it.
  test.each([
    { codec: ['pcm_s16le'], within: 1 },
    { codec: ['libopus', '-b:a', '32k'], within: 8 },
  ])('sound that is 120 ms late is measured as such: $codec', async ({ codec, within }) => {
    const clip = await barcodeClip({ seconds: 4, width: 640, height: 360 });
    const late = join(folder, `late-${codec[0]}.mkv`);
    await runFfmpeg([
      ...['-v', 'error', '-i', clip, '-itsoffset', '0.12', '-i', clip, '-map', '0:v', '-map', '1:a'],
      ...['-c:v', 'copy', '-c:a', ...codec, late],
    ]);
    const offsets = compareAv(await readBarcodeFrames(late), await readBeeps(late));
    expect(offsets).toHaveLength(4);
    for (const { offsetMs } of offsets) expect(Math.abs(offsetMs - 120)).toBeLessThan(within);
  });

  test('survives VP8 at 180p and 150 kbit/s', async () => {
    const clip = await barcodeClip({ seconds: 20 });
    const small = join(folder, 'small.webm');
    await runFfmpeg([
      ...['-v', 'error', '-i', clip, '-an', '-vf', 'scale=320:180', '-c:v', 'libvpx'],
      ...['-deadline', 'realtime', '-cpu-used', '8', '-b:v', '150k', '-maxrate', '150k', '-bufsize', '150k'],
      ...['-g', '30', '-y', small],
    ]);
    const frames = await readBarcodeFrames(small);
    expect(frames).toHaveLength(600);
    const read = frames.filter((frame) => frame.counter !== undefined);
    const wrong = read.filter((frame) => Math.abs(frame.counter! - frame.pts * 30) > 0.1);
    expect(wrong).toEqual([]);
    expect(read.length / frames.length).toBeGreaterThanOrEqual(0.999);
  }, 60_000);
});

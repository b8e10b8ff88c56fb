/** Names in many scripts: what is written is read by a program that knows nothing of it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { layOut, layOutWithin } from '../../../src/recorder/text/line.ts';
import type { Mask } from '../../../src/recorder/text/outline.ts';
import { visualRuns } from '../../../src/recorder/text/runs.ts';
import { lineHeight, write } from '../../../src/recorder/text/writer.ts';

const fontsOf = (text: string) => visualRuns(text).map(({ font }) => font.name);

describe('fonts', () => {
  test.each([
    ['Zoë Müller', ['NotoSans-Regular']],
    ['Анна Ελένη', ['NotoSans-Regular']],
    ['王小明 さくら', ['DroidSansFallbackFull']],
    ['김철수', ['NanumGothic-Regular']],
    ['देवनागरी', ['NotoSansDevanagari-Regular']],
    ['ภาษาไทย', ['NotoSansThai-Regular']],
    ['👩‍💻', ['NotoEmoji-Regular']],
  ])('%s', (text, names) => {
    const used = new Set(fontsOf(text));
    // Noto Sans has Devanagari too.
    if (text === 'देवनागरी') used.delete('NotoSans-Regular');
    expect([...used]).toEqual(names);
    expect(layOut(text).glyphs.every(({ glyph }) => glyph !== 0)).toBe(true);
  });

  test('fancy letters are drawn as what they stand for', () => {
    expect(visualRuns('𝓐𝓵𝓲𝓬𝓮').map(({ text }) => text)).toEqual(['Alice']);
  });

  test('what no font has is a box, and not an error', () => {
    expect(layOut('\u{10ffff}').glyphs).toHaveLength(1);
  });
});

describe('direction', () => {
  test('Arabic within Latin runs from the right, and numbers in it from the left', () => {
    const runs = visualRuns('Dr. محمد 12');
    expect(runs.map(({ rightToLeft }) => rightToLeft)).toEqual([false, false, true]);
    expect(runs.map(({ text }) => text.trim())).toEqual(['Dr.', '12', 'محمد']);
  });

  test('Arabic letters are joined', () => {
    const apart = new Set([...'محمد'].flatMap((letter) => layOut(letter).glyphs.map(({ glyph }) => glyph)));
    const joined = layOut('محمد').glyphs.map(({ glyph }) => glyph);
    expect(joined.some((glyph) => apart.has(glyph))).toBe(false);
  });

  test('characters that turn the direction are left out', () => {
    expect(layOut('ab\u202ecd')).toEqual(layOut('abcd'));
    expect(layOut('a\n\tb')).toEqual(layOut('a b'));
  });
});

test('what is too long ends in an ellipsis, and what has no room is nothing', () => {
  expect(layOutWithin('Alexandra von Humboldt', 5).width).toBeLessThanOrEqual(5);
  expect(layOutWithin('Alexandra von Humboldt', 5).width).toBeGreaterThan(3.5);
  expect(layOutWithin('Al', 5)).toEqual(layOut('Al'));
  expect(layOutWithin('Alexandra', 0.1).glyphs).toEqual([]);
  expect(write('', 20).data.every((value) => value === 0)).toBe(true);
});

test('letters are where they should be and as dark as they should be', () => {
  const { width, height, data } = write('l', 40);
  expect(height).toBe(lineHeight(40));
  const middle = data.subarray(width * 25, width * 26);
  // The stem of an l of 40 pixels is some 3.6 pixels wide.
  const inked = middle.reduce((sum, value) => sum + value, 0) / 255;
  expect(inked).toBeGreaterThan(2.8);
  expect(inked).toBeLessThan(4.5);
  expect(data.subarray(0, width * 8).every((value) => value === 0)).toBe(true);
});

const hasTesseract = spawnSync('tesseract', ['--version']).status === 0;

/** Dark on light, as a scanner would have it. */
function read({ width, height, data }: Mask): string {
  const [margin, scale] = [20, 3];
  const [w, h] = [scale * (width + 2 * margin), scale * (height + 2 * margin)];
  const page = Buffer.alloc(w * h, 255);
  for (let y = 0; y < scale * height; y += 1) {
    for (let x = 0; x < scale * width; x += 1) {
      const value = data[Math.floor(y / scale) * width + Math.floor(x / scale)]!;
      page[(y + scale * margin) * w + x + scale * margin] = 255 - value;
    }
  }
  const input = Buffer.concat([Buffer.from(`P5 ${w} ${h} 255\n`), page]);
  return execFileSync('tesseract', ['-', '-', '--psm', '7'], { input, stdio: ['pipe', 'pipe', 'ignore'] })
    .toString()
    .trim();
}

test.skipIf(!hasTesseract).each(['Alice Miller', 'Robert Jones 42', 'Conference Room'])(
  'OCR reads "%s"',
  (name) => {
    expect(read(write(name, 20))).toBe(name);
  },
);

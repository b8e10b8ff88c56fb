import { describe, expect, test } from 'vitest';
import {
  LEVEL_MS,
  LevelMeter,
  piecesOf,
  type Span,
  speechSpans,
} from '../../../../src/recorder/after/transcript/speech.ts';

/** Levels of so many seconds each. */
const levels = (...parts: readonly (readonly [seconds: number, level: number])[]): number[] =>
  parts.flatMap(([seconds, level]) => Array<number>(Math.round((seconds * 1_000) / LEVEL_MS)).fill(level));
const spans = (...seconds: readonly (readonly [number, number])[]): Span[] =>
  seconds.map(([start, end]) => ({ startMs: start * 1_000, endMs: end * 1_000 }));

test('levels are those of the samples, however they come', () => {
  const samples = Buffer.alloc(16_000 * 2);
  for (let i = 0; i < 16_000; i += 1)
    samples.writeInt16LE(i < 8_000 ? 0 : Math.round(Math.sin(i) * 3_276.8), i * 2);
  const meter = new LevelMeter();
  for (let at = 0; at < samples.length; at += 333) meter.add(samples.subarray(at, at + 333));
  const found = meter.finish();
  expect(found).toHaveLength(50);
  expect(found.slice(0, 25)).toEqual(Array(25).fill(-100));
  // A sine of a tenth of full scale: −20 dB, and 3 less as a mean.
  for (const level of found.slice(25)) expect(level).toBeCloseTo(-23, 0);
});

describe('speech', () => {
  test('is what is louder than the room, with a margin', () => {
    const room = levels([2, -60], [1, -25], [3, -62], [1, -30], [1, -60]);
    expect(speechSpans(room)).toEqual(spans([1.8, 3.2], [5.8, 7.2]));
  });

  test('is found in a loud room, and not where only the room is', () => {
    expect(speechSpans(levels([5, -48], [1, -25], [5, -48]))).toEqual(spans([4.8, 6.2]));
    expect(speechSpans(levels([10, -45]))).toEqual([]);
    expect(speechSpans(levels([10, -100]))).toEqual([]);
    expect(speechSpans([])).toEqual([]);
  });

  test('has no gaps within words, and no clicks', () => {
    const talk = levels([1, -60], [0.3, -25], [0.2, -60], [0.3, -25], [2, -60], [0.04, -20], [1, -60]);
    expect(speechSpans(talk)).toEqual(spans([0.8, 2]));
  });
});

describe('pieces', () => {
  const limits = { maximumMs: 60_000, pauseMs: 5_000 };

  test('end at long silences', () => {
    expect(piecesOf(spans([0, 3], [5, 8], [13, 20]), [], limits)).toEqual(spans([0, 8], [13, 20]));
  });

  test('are cut at the longest silence where they would be too long', () => {
    expect(piecesOf(spans([0, 20], [22, 40], [43, 55], [56, 70]), [], limits)).toEqual(
      spans([0, 40], [43, 70]),
    );
  });

  test('are cut at the quietest moment where there is no silence', () => {
    const talk = levels([50, -20], [0.1, -35], [99.9, -20]);
    const pieces = piecesOf(spans([0, 150]), talk, limits);
    expect(pieces[0]!.endMs).toBeGreaterThanOrEqual(50_000);
    expect(pieces[0]!.endMs).toBeLessThanOrEqual(50_100);
    expect(pieces.at(-1)!.endMs).toBe(150_000);
    pieces.forEach((piece, index) => {
      expect(piece.endMs - piece.startMs).toBeLessThanOrEqual(60_000);
      if (index > 0) expect(piece.startMs).toBe(pieces[index - 1]!.endMs);
    });
  });
});

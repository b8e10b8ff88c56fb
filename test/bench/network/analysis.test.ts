import { describe, expect, test } from 'vitest';
import {
  audioLoss,
  concealment,
  fellAt,
  framesOf,
  framesPerSecond,
  freezes,
  playoutDelay,
  reachedAt,
  shareAt,
} from '../../../bench/network/analysis.ts';
import type { RecordedFrame, Recording } from '../../../bench/network/recording.ts';

const frame = (at: number, height = 0, mediaMs = at): RecordedFrame => ({
  at,
  arrivedAt: at,
  mediaMs,
  captureMs: undefined,
  bytes: 100,
  height,
  keyframe: false,
  gapBefore: false,
  decodedAs: undefined,
});

/** A picture every 100 ms. */
const pictures = (from: number, to: number, height: number) =>
  Array.from({ length: (to - from) / 100 }, (_, i) => frame(from + i * 100, height));

describe('pictures in an interval', () => {
  const frames = [...pictures(0, 2_000, 720), ...pictures(2_000, 3_000, 360), ...pictures(6_000, 8_000, 720)];

  test('stand until the next, and not for ever', () => {
    expect(shareAt(frames, 720, { from: 0, to: 2_000 })).toBe(1);
    expect(shareAt(frames, 720, { from: 1_000, to: 3_000 })).toBe(0.5);
    expect(shareAt(frames, 360, { from: 2_000, to: 4_000 })).toBeCloseTo(0.8);
    expect(shareAt(frames, 0, { from: 4_000, to: 6_000 })).toBe(1);
    expect(shareAt([], 0, { from: 0, to: 1_000 })).toBe(1);
  });

  test('fall to a layer with its first picture behind the last of a higher one', () => {
    expect(fellAt(frames, 360, { from: 1_500, to: 6_000 })).toBe(2_000);
    expect(fellAt(frames, 0, { from: 2_500, to: 6_000 })).toBe(2_900);
    expect(fellAt(frames, 720, { from: 500, to: 6_000 })).toBe(500);
  });

  test('reach a layer with the first picture that is as high', () => {
    expect(reachedAt(frames, 1, { from: 4_000, to: 8_000 })).toBe(6_000);
    expect(reachedAt(frames, 720, { from: 2_500, to: 8_000 })).toBe(6_000);
    expect(reachedAt(frames, 720, { from: 2_500, to: 4_000 })).toBeUndefined();
  });

  test('freeze where none comes for more than 200 ms', () => {
    expect(freezes(frames, { from: 0, to: 3_000 })).toEqual({ count: 0, longest: 100, total: 0 });
    expect(freezes(frames, { from: 2_000, to: 8_000 })).toEqual({ count: 1, longest: 3_100, total: 3_100 });
    expect(framesPerSecond(frames, { from: 0, to: 3_000 })).toBe(10);
  });

  test('are in time with a delay that covers their lateness', () => {
    const late = [...Array(9).keys()]
      .map((i) => frame(i * 100 + 20, 720, i * 100))
      .concat(frame(970, 720, 900));
    expect(playoutDelay(late, 0.9, { from: 0, to: 1_000 })).toBe(0);
    expect(playoutDelay(late, 1, { from: 0, to: 1_000 })).toBe(50);
  });
});

describe('sound in an interval', () => {
  const heard = (numbers: number[]) => numbers.map((number) => frame(number * 20));
  const second = { from: 0, to: 1_000 };
  const all = [...Array(50).keys()];

  test('has lost what leaves gaps in its time', () => {
    expect(audioLoss(heard(all), second)).toBe(0);
    expect(audioLoss(heard(all.filter((i) => i % 10 !== 5)), second)).toBe(0.1);
    expect(audioLoss([], second)).toBe(1);
  });

  test('has lost what ceased to come', () => {
    expect(audioLoss(heard(all.slice(0, 10)), second)).toBeCloseTo((50 - 15 - 10) / 35);
  });

  test('is concealed as the decoder says, by the samples at the edges', () => {
    const sample = (at: number, concealedMs: number, recoveredMs: number) => ({
      at,
      tracks: [{ kind: 'audio', concealedMs, recoveredMs }],
    });
    const recording = { samples: [sample(0, 0, 0), sample(1_000, 20, 40), sample(2_000, 120, 90)] };
    expect(concealment(recording as unknown as Recording, { from: 1_100, to: 2_100 })).toEqual({
      concealed: 0.1,
      recovered: 0.05,
    });
  });
});

test('frames of a track that came back as another are one sequence', () => {
  const tracks = [
    { kind: 'video', frames: [frame(300), frame(400)] },
    { kind: 'audio', frames: [frame(200)] },
    { kind: 'video', frames: [frame(100)] },
  ];
  const recording = { tracks } as unknown as Recording;
  expect(framesOf(recording, 'video').map(({ at }) => at)).toEqual([100, 300, 400]);
});

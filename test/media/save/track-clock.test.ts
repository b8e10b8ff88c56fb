import { describe, expect, test } from 'vitest';
import { trackClock } from '../../../src/media/save/track-clock.ts';

/** File times of frames given as [media, received]. */
function fileTimes(frames: readonly (readonly [number, number?])[]): number[] {
  const clock = trackClock();
  return frames.map(([mediaTimeMs, receivedAtMs]) =>
    clock.fileTimeMs({ mediaTimeMs, ...(receivedAtMs !== undefined && { receivedAtMs }) }),
  );
}

describe('file time', () => {
  test('begins at 0 and follows the sender through gaps and reordered pictures', () => {
    expect(fileTimes([[90_000], [90_040], [90_020], [190_000.4], [89_000]])).toEqual([0, 40, 20, 100_000, 0]);
  });

  test('a stall and the burst after it keep the sender’s times', () => {
    const frames = [
      [1000, 50_000],
      [1040, 50_040],
      [1080, 58_000],
      [5000, 58_001],
      [9000, 58_002],
      [9040, 58_040],
    ] as const;
    expect(fileTimes(frames)).toEqual([0, 40, 80, 4000, 8000, 8040]);
  });

  test('a new count goes on where its frames arrive, whether it jumps ahead or back', () => {
    for (const restart of [5_000_000, 3]) {
      const frames = [
        [900_000, 50_000],
        [900_040, 50_040],
        [restart, 51_000],
        [restart + 40, 51_040],
      ] as const;
      expect(fileTimes(frames)).toEqual([0, 40, 1000, 1040]);
    }
  });

  test('times that an SFU moves with a layer are put back, and what scatters is not', () => {
    const clock = trackClock();
    const at = (mediaTimeMs: number, captureTimeMs: number) =>
      clock.fileTimeMs({ mediaTimeMs, captureTimeMs, receivedAtMs: captureTimeMs + 5 });
    expect([at(1000, 70_000), at(1033, 70_041), at(1067, 70_062)]).toEqual([0, 33, 67]);
    // The picture again in another size, and the next ones: 33 ms later than they were taken.
    expect([at(1100, 70_067), at(1133, 70_100), at(1167, 70_133)]).toEqual([68, 101, 135]);
    expect([at(1200, 70_133), at(1233, 70_167)]).toEqual([136, 169]);
    // A sender that corrects its clock moves nothing.
    expect([at(1267, 70_430), at(1300, 70_463), at(1333, 70_267)]).toEqual([203, 236, 269]);
  });

  test('a clock that runs 1 % fast is followed for minutes and never leaps', () => {
    const frames = Array.from({ length: 2000 }, (_, i) => [i * 1010, i * 1000] as const);
    const times = fileTimes(frames);
    times.slice(1).forEach((at, i) => {
      expect(at - times[i]!).toBeGreaterThanOrEqual(1000);
      expect(at - times[i]!).toBeLessThanOrEqual(1010);
    });
  });
});

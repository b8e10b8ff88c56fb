/** What the counters and beeps of a received clip say about the way they came. */
import type { BarcodeFrame } from './barcode-media.ts';

export interface AvOffset {
  /** When the beep begins, seconds. */
  readonly beep: number;
  /** Milliseconds that the sound comes after its picture; negative where it comes before. */
  readonly offsetMs: number;
}

/** Beeps that have no readable picture within this time are left out, seconds. */
const NEAREST_SECONDS = 0.5;

/**
 * Sound against picture for each beep: the picture that begins the beep's second is shown at the time of
 * the readable picture nearest to the beep, give or take the frames between them. `beepsLaterBySeconds` is
 * added to the beeps, for sound in a file that begins at another time than the picture's.
 */
export function compareAv(
  frames: readonly BarcodeFrame[],
  beeps: readonly number[],
  options: { readonly frameRate?: number; readonly beepsLaterBySeconds?: number } = {},
): AvOffset[] {
  const { frameRate = 30, beepsLaterBySeconds = 0 } = options;
  const readable = frames.filter((frame) => frame.counter !== undefined);
  return beeps.flatMap((start) => {
    const beep = start + beepsLaterBySeconds;
    let nearest: BarcodeFrame | undefined;
    for (const frame of readable) {
      if (!nearest || Math.abs(frame.pts - beep) < Math.abs(nearest.pts - beep)) nearest = frame;
    }
    if (nearest?.counter === undefined || Math.abs(nearest.pts - beep) > NEAREST_SECONDS) return [];
    const second = Math.round(nearest.counter / frameRate) * frameRate;
    const shown = nearest.pts + (second - nearest.counter) / frameRate;
    return [{ beep, offsetMs: (beep - shown) * 1000 }];
  });
}

export interface CounterReport {
  readonly frames: number;
  readonly unreadable: number;
  /** Counters between the first and the last read that never came. */
  readonly missing: number;
  /** Pictures with the counter of the one before. */
  readonly repeated: number;
  /** Pictures whose counter is lower than the one before, other than a new round of a looped clip. */
  readonly backward: number;
}

/** Follows the counters. With `clipFrames` the clip may loop: from its last frames to its first is forward. */
export function reportCounters(
  frames: readonly BarcodeFrame[],
  options: { readonly clipFrames?: number } = {},
): CounterReport {
  const { clipFrames } = options;
  let unreadable = 0;
  let missing = 0;
  let repeated = 0;
  let backward = 0;
  let last: number | undefined;
  /** Unreadable pictures since the last readable one stand for as many counters. */
  let unknown = 0;
  for (const { counter } of frames) {
    if (counter === undefined) {
      unreadable++;
      unknown++;
      continue;
    }
    if (last !== undefined) {
      let step = counter - last;
      if (clipFrames !== undefined && step < -clipFrames / 2) step += clipFrames;
      if (step === 0) repeated++;
      else if (step < 0) backward++;
      else missing += Math.max(0, step - 1 - unknown);
    }
    last = counter;
    unknown = 0;
  }
  return { frames: frames.length, unreadable, missing, repeated, backward };
}

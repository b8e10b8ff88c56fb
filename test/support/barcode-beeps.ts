/** Finds where beeps begin in sound. */

export const BEEP_HZ = 1000;
export const BEEP_SECONDS = 0.08;

/** Two periods: where a steady tone begins, a window around it is half full and gives half the level. */
const WINDOW_SECONDS = 0.002;
const STEP_SECONDS = 0.00025;
/** The level is taken over this part of a beep, after its start. */
const PLATEAU_FROM_SECONDS = 0.015;
const PLATEAU_TO_SECONDS = 0.06;
/** Silence that a beep must have before it. */
const QUIET_SECONDS = 0.2;
/** Quieter than −40 dBFS is no beep. */
const MIN_LEVEL = 0.01;

/**
 * Start of each beep in seconds from the first sample, to about half a millisecond in undamaged sound;
 * codecs smear it by one or two. Samples are −1 to 1, one channel.
 */
export function findBeeps(samples: Float32Array, sampleRate: number): number[] {
  const levels = toneLevels(samples, sampleRate);
  const loudest = percentile(levels, 0.99);
  const silence = Math.max(MIN_LEVEL / 2, loudest / 8);
  const beeps: number[] = [];
  let quietSince = 0;
  let i = 0;
  while (i < levels.length) {
    if (levels[i]! < silence) {
      i++;
      continue;
    }
    const afterSilence = beeps.length === 0 || i - quietSince >= steps(QUIET_SECONDS);
    const half =
      percentile(levels.subarray(i + steps(PLATEAU_FROM_SECONDS), i + steps(PLATEAU_TO_SECONDS)), 0.5) / 2;
    if (afterSilence && half >= Math.max(MIN_LEVEL, loudest / 4) / 2) {
      let crossing = i;
      while (crossing < levels.length && levels[crossing]! < half) crossing++;
      const rise = levels[crossing]! - (levels[crossing - 1] ?? 0);
      const back = rise > 0 ? (levels[crossing]! - half) / rise : 0;
      beeps.push(Math.max(0, (crossing - back) * STEP_SECONDS));
    }
    while (i < levels.length && levels[i]! >= silence) i++;
    quietSince = i;
  }
  return beeps;
}

function steps(seconds: number): number {
  return Math.round(seconds / STEP_SECONDS);
}

/** Level of the beep's frequency in a window around each step, 0 to 1. */
function toneLevels(samples: Float32Array, sampleRate: number): Float32Array {
  const half = Math.round((WINDOW_SECONDS * sampleRate) / 2);
  const step = STEP_SECONDS * sampleRate;
  const levels = new Float32Array(Math.ceil(samples.length / step));
  // Running sums of the sound turned by the beep's frequency: a window costs two look-ups.
  const real = new Float64Array(samples.length + 1);
  const imaginary = new Float64Array(samples.length + 1);
  for (let n = 0; n < samples.length; n++) {
    const angle = (2 * Math.PI * BEEP_HZ * n) / sampleRate;
    real[n + 1] = real[n]! + samples[n]! * Math.cos(angle);
    imaginary[n + 1] = imaginary[n]! + samples[n]! * Math.sin(angle);
  }
  for (let i = 0; i < levels.length; i++) {
    const centre = Math.round(i * step);
    const from = Math.max(0, centre - half);
    const to = Math.min(samples.length, centre + half);
    const length = Math.hypot(real[to]! - real[from]!, imaginary[to]! - imaginary[from]!);
    levels[i] = length / half;
  }
  return levels;
}

function percentile(values: Float32Array, share: number): number {
  if (values.length === 0) return 0;
  const sorted = values.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

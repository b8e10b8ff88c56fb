/** Values between samples: a windowed sinc in so many phases. */

/** Samples that make one; flat to 18 kHz, and what it mirrors lies 80 dB lower. */
export const TAPS = 16;
/** Taps at and before the place that is asked for. */
export const TAPS_BEFORE = TAPS / 2;
/** Of one sample; the nearest one is wrong by less than −84 dB of a tone of 1 kHz. */
export const PHASES = 1024;
const KAISER_BETA = 9;

/** `PHASES + 1` rows of `TAPS` weights; row `i` is for the place `i / PHASES` after tap `TAPS_BEFORE - 1`. */
export const SINC_TABLE: Float32Array = makeTable();

function makeTable(): Float32Array {
  const table = new Float32Array((PHASES + 1) * TAPS);
  for (let phase = 0; phase <= PHASES; phase += 1) {
    const row = table.subarray(phase * TAPS, (phase + 1) * TAPS);
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      const x = tap - (TAPS_BEFORE - 1) - phase / PHASES;
      const inside = 1 - (x / TAPS_BEFORE) ** 2;
      const window = inside <= 0 ? 0 : bessel(KAISER_BETA * Math.sqrt(inside)) / bessel(KAISER_BETA);
      row[tap] = window * (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
      sum += row[tap]!;
    }
    for (let tap = 0; tap < TAPS; tap += 1) row[tap]! /= sum;
  }
  return table;
}

/** Modified Bessel function of the first kind, order 0. */
function bessel(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 40; k += 1) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

/**
 * Reads `count` values at `at`, `at + step`, … of `from` into `to`. `from` must hold `TAPS_BEFORE - 1` samples before
 * the first place and `TAPS_BEFORE` after the last.
 */
export function resample(
  from: Float32Array,
  at: number,
  step: number,
  to: Float32Array,
  count: number,
): void {
  for (let i = 0; i < count; i += 1) {
    const place = at + i * step;
    const whole = Math.floor(place);
    let row = Math.round((place - whole) * PHASES) * TAPS;
    let sample = whole - (TAPS_BEFORE - 1);
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      sum += from[sample]! * SINC_TABLE[row]!;
      sample += 1;
      row += 1;
    }
    to[i] = sum;
  }
}

/** A limiter of true peaks that looks ahead (ITU-R BS.1770-4, Annex 2: four times oversampled). */
import { PHASES, SINC_TABLE, TAPS, TAPS_BEFORE } from './sinc.ts';

/** Gains change within so long before a peak: a ramp of 5 ms makes no click. */
const AHEAD = 240;
/** And come back by 63 % in so many samples: 120 ms, slow enough not to distort low voices. */
const RELEASE = 1 / (0.12 * 48_000);
/** Between samples a peak is at most twice as high as they are, so quieter pieces need no look. */
const SURE = 2;
/** Looked at piece by piece. */
const PIECE = 48;
const STEPS = [PHASES / 4, PHASES / 2, (3 * PHASES) / 4];

export class TruePeakLimiter {
  /** Samples by which what comes out is later than what goes in. */
  static readonly latency = AHEAD + TAPS_BEFORE;
  readonly #ceiling: number;
  /** Input that was not given out yet: `latency` samples and what is needed before them. */
  #left = new Float32Array(TAPS_BEFORE + TruePeakLimiter.latency);
  #right = new Float32Array(TAPS_BEFORE + TruePeakLimiter.latency);
  /** Gains that the next peaks need, the lowest of the last `AHEAD` first (a monotonic queue). */
  #queue: { readonly at: number; readonly gain: number }[] = [];
  #at = 0;
  #envelope = 1;
  readonly #ramp = new Float64Array(AHEAD).fill(1);
  #rampAt = 0;
  #rampSum = AHEAD;

  /** `ceiling` is the highest peak, 1 being full scale. */
  constructor(ceiling: number) {
    this.#ceiling = ceiling;
  }

  /** Takes both channels and gives back as much, `latency` samples older, in place. */
  process(left: Float32Array, right: Float32Array): void {
    const count = left.length;
    const joinedLeft = join(this.#left, left);
    const joinedRight = join(this.#right, right);
    const needed = this.#neededGains(joinedLeft, joinedRight, count);
    // The peak after sample `TAPS_BEFORE - 1 + latency - AHEAD + i` is looked at when sample `TAPS_BEFORE + i` leaves.
    for (let i = 0; i < count; i += 1) {
      const gain = this.#next(needed[i]!);
      left[i] = joinedLeft[TAPS_BEFORE + i]! * gain;
      right[i] = joinedRight[TAPS_BEFORE + i]! * gain;
    }
    this.#left = joinedLeft.slice(count);
    this.#right = joinedRight.slice(count);
  }

  #neededGains(left: Float32Array, right: Float32Array, count: number): Float32Array {
    const gains = new Float32Array(count).fill(1);
    const sure = this.#ceiling / SURE;
    // Sample 0 of the new input less what the interpolation needs after it.
    const first = TAPS_BEFORE + TruePeakLimiter.latency - TAPS_BEFORE;
    for (let piece = 0; piece < count; piece += PIECE) {
      const until = Math.min(count, piece + PIECE);
      let highest = 0;
      for (let i = first + piece - TAPS_BEFORE; i < first + until + TAPS_BEFORE; i += 1) {
        highest = Math.max(highest, Math.abs(left[i]!), Math.abs(right[i]!));
      }
      if (highest < sure) continue;
      for (let i = piece; i < until; i += 1) {
        const peak = Math.max(truePeak(left, first + i), truePeak(right, first + i));
        if (peak > this.#ceiling) gains[i] = this.#ceiling / peak;
      }
    }
    return gains;
  }

  /** The gain for the next sample that leaves, when a peak that is `AHEAD` samples away needs this one. */
  #next(needed: number): number {
    const at = this.#at;
    this.#at += 1;
    while (this.#queue.length > 0 && this.#queue[0]!.at < at - AHEAD) this.#queue.shift();
    if (needed < 1) {
      while (this.#queue.length > 0 && this.#queue.at(-1)!.gain >= needed) this.#queue.pop();
      this.#queue.push({ at, gain: needed });
    }
    const lowest = this.#queue[0]?.gain ?? 1;
    if (lowest === 1 && this.#envelope > 0.9999) this.#envelope = 1;
    this.#envelope = Math.min(lowest, this.#envelope + (1 - this.#envelope) * RELEASE);
    this.#rampSum += this.#envelope - this.#ramp[this.#rampAt]!;
    this.#ramp[this.#rampAt] = this.#envelope;
    this.#rampAt = (this.#rampAt + 1) % AHEAD;
    return this.#rampSum / AHEAD;
  }
}

/** Highest of a sample and of the three values between it and the next. */
function truePeak(samples: Float32Array, at: number): number {
  let peak = Math.abs(samples[at]!);
  const first = at - (TAPS_BEFORE - 1);
  for (const phase of STEPS) {
    let row = phase * TAPS;
    let sum = 0;
    for (let tap = 0; tap < TAPS; tap += 1) {
      sum += samples[first + tap]! * SINC_TABLE[row]!;
      row += 1;
    }
    peak = Math.max(peak, Math.abs(sum));
  }
  return peak;
}

function join(before: Float32Array, after: Float32Array): Float32Array {
  const joined = new Float32Array(before.length + after.length);
  joined.set(before);
  joined.set(after, before.length);
  return joined;
}

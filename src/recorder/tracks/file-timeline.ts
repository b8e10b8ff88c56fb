/** Wall time of what is in a track's file, by the anchors of the event log. */

/** As an `anchor` event has it. */
export interface Anchor {
  readonly fileMs: number;
  readonly capturedAt: number;
  readonly senderMs?: number;
}

/**
 * How far the sender's clock is off is known the better the more frames have come, and what is known at first is too
 * late by the delay of the first of them. So each anchor counts with the least difference of those so near to it; a clock
 * that is 200 ppm fast moves by 6 ms meanwhile, for picture and sound alike.
 */
const NEAR_MS = 30_000;
/** Differences of more are those of a clock that was set in between. */
const STEP_MS = 1_000;
/** Clocks part by less between two anchors; what is more is a step, and happened at the later one. */
const MAX_DRIFT = 0.002;

/**
 * Ties file time to the recorder's clock. Between anchors it is interpolated, so that a sender whose clock is fast or
 * slow stays in step with the others; before the first and after the last it goes on at the rate of time.
 */
export class FileTimeline {
  readonly #fileMs: Float64Array;
  /** Wall time less file time, at each anchor. */
  readonly #offset: Float64Array;
  /** Where nothing is known: when file time 0 came. */
  readonly #beganAt: number;

  constructor(anchors: readonly Anchor[], beganAt: number) {
    const sorted = [...anchors].sort((a, b) => a.fileMs - b.fileMs);
    this.#fileMs = Float64Array.from(sorted, ({ fileMs }) => fileMs);
    const senderMs = Float64Array.from(sorted, (anchor) => anchor.senderMs ?? anchor.fileMs);
    const behind = Float64Array.from(sorted, ({ capturedAt }, i) => capturedAt - senderMs[i]!);
    this.#offset = leastNearby(this.#fileMs, behind).map(
      (least, i) => least + senderMs[i]! - this.#fileMs[i]!,
    );
    this.#beganAt = beganAt;
  }

  /** Milliseconds since the epoch on the recorder's clock. */
  capturedAt(fileMs: number): number {
    const count = this.#fileMs.length;
    if (count === 0) return this.#beganAt + fileMs;
    const next = this.#firstAfter(fileMs);
    if (next === 0) return fileMs + this.#offset[0]!;
    const before = this.#offset[next - 1]!;
    if (next === count) return fileMs + before;
    const change = this.#offset[next]! - before;
    const from = this.#fileMs[next - 1]!;
    const span = this.#fileMs[next]! - from;
    if (Math.abs(change) > Math.max(1, span * MAX_DRIFT)) return fileMs + before;
    return fileMs + before + (change * (fileMs - from)) / span;
  }

  /** Index of the first anchor behind a file time. */
  #firstAfter(fileMs: number): number {
    let low = 0;
    let high = this.#fileMs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#fileMs[middle]! > fileMs) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

function leastNearby(fileMs: Float64Array, offsets: Float64Array): Float64Array {
  return offsets.map((own, i) => {
    let least = own;
    const look = (step: number) => {
      for (let j = i + step; j >= 0 && j < offsets.length; j += step) {
        const far = Math.abs(fileMs[j]! - fileMs[i]!) > NEAR_MS;
        if (far || Math.abs(offsets[j]! - own) > STEP_MS) return;
        least = Math.min(least, offsets[j]!);
      }
    };
    look(-1);
    look(1);
    return least;
  });
}

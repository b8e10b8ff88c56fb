/** Wall time of what is in a track's file, by the anchors of the event log. */

/** As an `anchor` event has it. */
export interface Anchor {
  readonly fileMs: number;
  readonly capturedAt: number;
}

/** Between two anchors the clocks differ by less than this, or the sender's clock was set in between. */
const MAX_RATE_ERROR = 0.05;

/**
 * Ties file time to the recorder's clock. Between anchors it is interpolated, so that a sender whose clock is fast or
 * slow stays in step with the others; before the first and after the last it goes on at the rate of time.
 */
export class FileTimeline {
  readonly #fileMs: Float64Array;
  readonly #capturedAt: Float64Array;
  /** Where nothing is known: when file time 0 came. */
  readonly #beganAt: number;

  constructor(anchors: readonly Anchor[], beganAt: number) {
    // A step back in file time cannot be: the file's clock never does it.
    const sorted = [...anchors].sort((a, b) => a.fileMs - b.fileMs);
    this.#fileMs = Float64Array.from(sorted, ({ fileMs }) => fileMs);
    this.#capturedAt = Float64Array.from(sorted, ({ capturedAt }) => capturedAt);
    this.#beganAt = beganAt;
  }

  /** Milliseconds since the epoch on the recorder's clock. */
  capturedAt(fileMs: number): number {
    const next = this.#firstAfter(fileMs);
    const before = next - 1;
    if (this.#fileMs.length === 0) return this.#beganAt + fileMs;
    if (before < 0) return this.#capturedAt[0]! + fileMs - this.#fileMs[0]!;
    const since = fileMs - this.#fileMs[before]!;
    return this.#capturedAt[before]! + since * this.#rateAfter(before);
  }

  #rateAfter(index: number): number {
    if (index + 1 >= this.#fileMs.length) return 1;
    const rate =
      (this.#capturedAt[index + 1]! - this.#capturedAt[index]!) /
      (this.#fileMs[index + 1]! - this.#fileMs[index]!);
    return Math.abs(rate - 1) <= MAX_RATE_ERROR ? rate : 1;
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

/** Weight of a new sample, as TCP has it (RFC 6298 section 2). */
const WEIGHT = 1 / 8;

/** The smoothed value after one more sample. */
export function roundTripSmoothing(value: number | undefined, sample: number): number {
  return value === undefined ? sample : value + (sample - value) * WEIGHT;
}

/** Round trip of a session, out of all reports that tell one. */
export class RoundTrip {
  #value: number | undefined;

  /** Milliseconds; `undefined` before the first report. */
  get ms(): number | undefined {
    return this.#value;
  }

  add(sampleMs: number): void {
    this.#value = roundTripSmoothing(this.#value, sampleMs);
  }
}

/** Histograms of durations, which several drivers record and one report adds up (HdrHistogram). */
import * as hdr from 'hdr-histogram-js';

/** Values are whole microseconds: a latency of 100 µs and a join of a minute keep three digits. */
const UNITS_PER_MS = 1_000;
const HIGHEST_MS = 3_600_000;

export type Percentile = 50 | 90 | 95 | 99 | 99.9;

/** Durations in milliseconds, to three significant digits. */
export class DurationHistogram {
  readonly #histogram: hdr.Histogram;

  constructor(histogram?: hdr.Histogram) {
    this.#histogram =
      histogram ??
      hdr.build({
        bitBucketSize: 32,
        autoResize: true,
        lowestDiscernibleValue: 1,
        highestTrackableValue: 2,
        numberOfSignificantValueDigits: 3,
      });
  }

  /** Negative durations, as clocks that are aligned to within their error give, count as none. */
  record(ms: number): void {
    const clamped = Math.min(HIGHEST_MS, Math.max(0, ms));
    this.#histogram.recordValue(Math.round(clamped * UNITS_PER_MS));
  }

  get count(): number {
    return this.#histogram.totalCount;
  }

  get meanMs(): number {
    return this.count === 0 ? Number.NaN : this.#histogram.mean / UNITS_PER_MS;
  }

  get minMs(): number {
    return this.count === 0 ? Number.NaN : this.#histogram.minNonZeroValue / UNITS_PER_MS;
  }

  get maxMs(): number {
    return this.count === 0 ? Number.NaN : this.#histogram.maxValue / UNITS_PER_MS;
  }

  percentileMs(percentile: number): number {
    return this.count === 0 ? Number.NaN : this.#histogram.getValueAtPercentile(percentile) / UNITS_PER_MS;
  }

  add(other: DurationHistogram): void {
    if (other.count > 0) this.#histogram.add(other.#histogram);
  }

  reset(): void {
    this.#histogram.reset();
  }

  /** For another process; also what HdrHistogram's own tools read (V2, compressed). */
  encode(): string {
    return hdr.encodeIntoCompressedBase64(this.#histogram);
  }

  static decode(text: string): DurationHistogram {
    return new DurationHistogram(hdr.decodeFromCompressedBase64(text, 32));
  }
}

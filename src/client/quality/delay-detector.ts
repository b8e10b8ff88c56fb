import type { PacketTrain } from './packet-trains.ts';

/** What the delay does: the queue of the bottleneck grows, is being emptied, or neither. */
export type DelayUsage = 'overuse' | 'underuse' | 'normal';

/** Samples that the trend is taken over: two thirds of a second of pictures. */
const WINDOW = 20;
const MIN_SAMPLES = 5;
/** Weight of the old in the smoothed delay: a picture's jitter of some 10 ms is to leave no trend. */
const SMOOTHING = 0.8;
/** As in libwebrtc's trendline estimator: the trend is scaled by the number of samples and this gain. */
const GAIN = 4;
const MAX_COUNT = 60;
/** The threshold that the scaled trend is compared with follows it, slowly up and more slowly down. */
const INITIAL_THRESHOLD = 12.5;
const MIN_THRESHOLD = 6;
const MAX_THRESHOLD = 600;
const THRESHOLD_UP = 0.0087;
const THRESHOLD_DOWN = 0.039;
/** A trend so far above the threshold is a sudden fall of the bandwidth, to which it must not adapt. */
const MAX_ADAPT_OFFSET = 15;
const OVERUSE_MS = 10;
/** Delay above the least of the last seconds that no jitter explains. */
export const LARGE_QUEUE_MS = 150;
const BASELINE_MS = 10_000;

/**
 * Tells from the one-way delays of packet trains whether the bottleneck's queue grows (the delay-based part of
 * draft-ietf-rmcat-gcc-02 section 5, with a trend line in place of the Kalman filter).
 */
export class DelayDetector {
  #usage: DelayUsage = 'normal';
  #samples: { atMs: number; delayMs: number }[] = [];
  #smoothed: number | undefined;
  #count = 0;
  #threshold = INITIAL_THRESHOLD;
  #previousTrend = 0;
  #overSinceMs: number | undefined;
  #lastMs: number | undefined;
  #baseline: { atMs: number; delayMs: number }[] = [];
  #queueMs = 0;
  #largeQueues = 0;

  get usage(): DelayUsage {
    return this.#usage;
  }

  /** Delay of the last train over the least of the last ten seconds, milliseconds. */
  get queueMs(): number {
    return this.#queueMs;
  }

  add({ firstSentMs, firstArrivedMs }: PacketTrain): void {
    const delayMs = firstArrivedMs - firstSentMs;
    this.#queueMs = delayMs - this.#least(firstArrivedMs, delayMs);
    this.#largeQueues = this.#queueMs > LARGE_QUEUE_MS ? this.#largeQueues + 1 : 0;
    this.#smoothed =
      this.#smoothed === undefined ? delayMs : SMOOTHING * this.#smoothed + (1 - SMOOTHING) * delayMs;
    this.#count = Math.min(MAX_COUNT, this.#count + 1);
    this.#samples.push({ atMs: firstArrivedMs, delayMs: this.#smoothed });
    if (this.#samples.length > WINDOW) this.#samples.shift();
    const trend = slope(this.#samples) * this.#count * GAIN;
    this.#detect(trend, firstArrivedMs);
    this.#adapt(trend, firstArrivedMs);
    this.#previousTrend = trend;
  }

  /** Begins anew: the sender has changed its rate so much that the samples tell about another load. */
  reset(): void {
    this.#samples = [];
    this.#smoothed = undefined;
    this.#count = 0;
    this.#largeQueues = 0;
    this.#overSinceMs = undefined;
    this.#previousTrend = 0;
    this.#usage = 'normal';
  }

  #detect(trend: number, nowMs: number): void {
    const draining =
      this.#samples.length >= 2 && this.#samples.at(-1)!.delayMs < this.#samples.at(-2)!.delayMs;
    if (this.#largeQueues >= 2 && !draining) {
      this.#usage = 'overuse';
      return;
    }
    if (this.#samples.length < MIN_SAMPLES) return;
    if (trend > this.#threshold) {
      this.#overSinceMs ??= nowMs;
      if (nowMs - this.#overSinceMs > OVERUSE_MS && trend >= this.#previousTrend) this.#usage = 'overuse';
      return;
    }
    this.#overSinceMs = undefined;
    this.#usage = trend < -this.#threshold ? 'underuse' : 'normal';
  }

  #adapt(trend: number, nowMs: number): void {
    const elapsed = Math.min(100, nowMs - (this.#lastMs ?? nowMs));
    this.#lastMs = nowMs;
    const distance = Math.abs(trend) - this.#threshold;
    if (distance > MAX_ADAPT_OFFSET || elapsed <= 0) return;
    const gain = distance < 0 ? THRESHOLD_DOWN : THRESHOLD_UP;
    const next = this.#threshold + gain * distance * elapsed;
    this.#threshold = Math.min(MAX_THRESHOLD, Math.max(MIN_THRESHOLD, next));
  }

  /** The least delay of the last seconds, the new one included: a queue of candidates, each less than those after. */
  #least(atMs: number, delayMs: number): number {
    while (this.#baseline.length > 0 && this.#baseline.at(-1)!.delayMs >= delayMs) this.#baseline.pop();
    this.#baseline.push({ atMs, delayMs });
    while (atMs - this.#baseline[0]!.atMs > BASELINE_MS) this.#baseline.shift();
    return this.#baseline[0]!.delayMs;
  }
}

/** Slope of the least-squares line: milliseconds of delay a millisecond. */
function slope(samples: readonly { atMs: number; delayMs: number }[]): number {
  const n = samples.length;
  if (n < 2) return 0;
  const meanAt = samples.reduce((sum, { atMs }) => sum + atMs, 0) / n;
  const meanDelay = samples.reduce((sum, { delayMs }) => sum + delayMs, 0) / n;
  let numerator = 0;
  let denominator = 0;
  for (const { atMs, delayMs } of samples) {
    numerator += (atMs - meanAt) * (delayMs - meanDelay);
    denominator += (atMs - meanAt) ** 2;
  }
  return denominator === 0 ? 0 : numerator / denominator;
}

/** Token buckets: a steady rate with room for a burst. */

export interface BucketRate {
  readonly perSecond: number;
  readonly burst: number;
}

export class TokenBucket {
  readonly #rate: BucketRate;
  #tokens: number;
  #filledAt: number;

  constructor(rate: BucketRate, now = performance.now()) {
    this.#rate = rate;
    this.#tokens = rate.burst;
    this.#filledAt = now;
  }

  /** Takes one token; `false` when there is none. */
  take(now = performance.now()): boolean {
    const { perSecond, burst } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Undoes a `take`. */
  giveBack(): void {
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + 1);
  }

  /** Whether nothing has been taken for as long as it takes to fill up: then it may be forgotten. */
  full(now = performance.now()): boolean {
    return this.#tokens + ((now - this.#filledAt) / 1000) * this.#rate.perSecond >= this.#rate.burst;
  }
}

/** Keys are forgotten in passing, as soon as there are this many more than at the last clearing. */
const PRUNE_AFTER = 1_000;

/** A bucket for each key, such as an address. */
export class TokenBuckets {
  readonly #rate: BucketRate;
  readonly #buckets = new Map<string, TokenBucket>();
  #pruneAt = PRUNE_AFTER;

  constructor(rate: BucketRate) {
    this.#rate = rate;
  }

  /** Takes one token from the key's bucket; `false` when there is none. */
  take(key: string, now = performance.now()): boolean {
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      if (this.#buckets.size >= this.#pruneAt) this.#prune(now);
      bucket = new TokenBucket(this.#rate, now);
      this.#buckets.set(key, bucket);
    }
    return bucket.take(now);
  }

  /** Undoes a `take`. */
  giveBack(key: string): void {
    this.#buckets.get(key)?.giveBack();
  }

  get size(): number {
    return this.#buckets.size;
  }

  #prune(now: number): void {
    for (const [key, bucket] of this.#buckets) {
      if (bucket.full(now)) this.#buckets.delete(key);
    }
    this.#pruneAt = this.#buckets.size + PRUNE_AFTER;
  }
}

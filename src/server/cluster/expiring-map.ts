interface Entry<V> {
  value: V;
  expiresAt: number;
}

/** A map whose entries can have a time to live, in the milliseconds of `now`. */
export class ExpiringMap<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): V | undefined {
    return this.#live(key)?.value;
  }

  /** Without `ttlMs` it stays until it is deleted. */
  set(key: string, value: V, ttlMs = Number.POSITIVE_INFINITY): void {
    this.#entries.set(key, { value, expiresAt: this.#now() + ttlMs });
  }

  /** Gives an entry another time to live; `false` where there is none. */
  expire(key: string, ttlMs: number): boolean {
    const entry = this.#live(key);
    if (entry) entry.expiresAt = this.#now() + ttlMs;
    return entry !== undefined;
  }

  /** Milliseconds it still has; `Infinity` without a time to live, 0 where there is no entry. */
  remaining(key: string): number {
    const entry = this.#live(key);
    return entry ? entry.expiresAt - this.#now() : 0;
  }

  delete(key: string): boolean {
    const there = this.#live(key) !== undefined;
    this.#entries.delete(key);
    return there;
  }

  /** Frees what has expired and is not asked for again. */
  sweep(): void {
    for (const key of this.#entries.keys()) this.#live(key);
  }

  #live(key: string): Entry<V> | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAt > this.#now()) return entry;
    this.#entries.delete(key);
    return undefined;
  }
}

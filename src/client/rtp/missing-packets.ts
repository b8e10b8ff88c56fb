/** First request after this: reordering on real paths is mostly below it, and it is far below a round trip. */
const REORDER_MS = 5;
const MIN_RETRY_MS = 20;
const RETRY_ROUND_TRIPS = 1.5;
const MAX_REQUESTS = 10;
/** More than this cannot be repaired in time; the oldest are given up. */
const MAX_MISSING = 1000;

interface Missing {
  readonly sinceMs: number;
  dueMs: number;
  requests: number;
}

export interface MissingPacketsOptions {
  /** Whether requests are sent; losses are counted in any case. */
  readonly nack: boolean;
  /** How long a packet is worth waiting for. */
  readonly deadlineMs: () => number;
  readonly rttMs: () => number | undefined;
}

/** The gaps of one stream: which to ask for again and when, and which are lost for good. */
export class MissingPackets {
  readonly #options: MissingPacketsOptions;
  /** By extended sequence number, which wraps nowhere; in the order of arrival and so of number. */
  readonly #missing = new Map<number, Missing>();
  #lost = 0;

  constructor(options: MissingPacketsOptions) {
    this.#options = options;
  }

  /** Packets given up. */
  get lost(): number {
    return this.#lost;
  }

  get size(): number {
    return this.#missing.size;
  }

  /** Notes that `count` packets before `sequence` have not come. */
  skipped(sequence: number, count: number, nowMs: number): void {
    for (let missing = sequence - count; missing < sequence; missing += 1) {
      this.#missing.set(missing, { sinceMs: nowMs, dueMs: nowMs + REORDER_MS, requests: 0 });
    }
    for (const oldest of this.#missing.keys()) {
      if (this.#missing.size <= MAX_MISSING) break;
      this.#giveUp(oldest);
    }
  }

  /** Whether the packet was missing; it is not any more. */
  arrived(sequence: number): boolean {
    return this.#missing.delete(sequence);
  }

  /** Nobody waits for what lies before `sequence` any more. */
  giveUpBefore(sequence: number): void {
    for (const missing of this.#missing.keys()) {
      if (missing < sequence) this.#giveUp(missing);
    }
  }

  /** The extended numbers to ask for now, in order. */
  due(nowMs: number): number[] {
    const retryMs = Math.max(MIN_RETRY_MS, (this.#options.rttMs() ?? 0) * RETRY_ROUND_TRIPS);
    const deadlineMs = this.#options.deadlineMs();
    const due: number[] = [];
    for (const [sequence, missing] of this.#missing) {
      if (nowMs - missing.sinceMs >= deadlineMs) {
        this.#giveUp(sequence);
      } else if (this.#options.nack && missing.dueMs <= nowMs) {
        missing.requests += 1;
        missing.dueMs = missing.requests < MAX_REQUESTS ? nowMs + retryMs : Number.POSITIVE_INFINITY;
        due.push(sequence);
      }
    }
    return due;
  }

  /** When `due` is to be called next; `undefined` while nothing is missing. */
  nextMs(): number | undefined {
    const deadlineMs = this.#options.deadlineMs();
    let next: number | undefined;
    for (const { sinceMs, dueMs } of this.#missing.values()) {
      const at = Math.min(sinceMs + deadlineMs, this.#options.nack ? dueMs : Number.POSITIVE_INFINITY);
      if (next === undefined || at < next) next = at;
    }
    return next;
  }

  #giveUp(sequence: number): void {
    if (this.#missing.delete(sequence)) this.#lost += 1;
  }
}

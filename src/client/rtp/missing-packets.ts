/** First request after this: reordering on real paths is mostly below it, and it is far below a round trip. */
const REORDER_MS = 5;
const MIN_RETRY_MS = 20;
/**
 * Two requests fit into a playout delay of 200 ms and the round trip up to a round trip of 160 ms. At 2 % loss
 * both ways and 150 ms, 0.1 % of the frames stay missing; with a factor of 1.5 it were 8 %.
 */
const RETRY_ROUND_TRIPS = 1.2;
const MAX_REQUESTS = 10;
/**
 * Where few round trips fit into the deadline, each request is sent twice: the request is as easily lost as the
 * answer, and costs far less. A sender answers only one of them within a round trip.
 */
const ECHO_MS = 15;
const ECHO_FROM_ROUND_TRIP_MS = 60;
/** More than this cannot be repaired in time; the oldest are given up. */
const MAX_MISSING = 1000;

interface Missing {
  readonly sinceMs: number;
  dueMs: number;
  requests: number;
  /** When the last request is asked again for real, while its echo is due before. */
  retryMs: number | undefined;
}

export interface MissingPacketsOptions {
  /** Whether requests are sent; losses are counted in any case. */
  readonly nack: boolean;
  /** How long a packet is worth waiting for. */
  readonly deadlineMs: () => number;
  readonly rttMs: () => number | undefined;
  /** A packet will not come any more. */
  readonly onGivenUp?: (sequence: number) => void;
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
      this.#missing.set(missing, {
        sinceMs: nowMs,
        dueMs: nowMs + REORDER_MS,
        requests: 0,
        retryMs: undefined,
      });
    }
    for (const oldest of this.#missing.keys()) {
      if (this.#missing.size <= MAX_MISSING) break;
      this.#giveUp(oldest);
    }
  }

  /** Whether the packet is missing and was asked for. */
  isRequested(sequence: number): boolean {
    return (this.#missing.get(sequence)?.requests ?? 0) > 0;
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
    const rttMs = this.#options.rttMs() ?? 0;
    const deadlineMs = this.#options.deadlineMs();
    const due: number[] = [];
    for (const [sequence, missing] of this.#missing) {
      if (nowMs - missing.sinceMs >= deadlineMs) {
        this.#giveUp(sequence);
      } else if (this.#options.nack && missing.dueMs <= nowMs) {
        requested(missing, rttMs, nowMs);
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
    if (!this.#missing.delete(sequence)) return;
    this.#lost += 1;
    this.#options.onGivenUp?.(sequence);
  }
}

/** Sets when the packet is asked for next. */
function requested(missing: Missing, rttMs: number, nowMs: number): void {
  if (missing.retryMs !== undefined) {
    missing.dueMs = missing.retryMs;
    missing.retryMs = undefined;
    return;
  }
  missing.requests += 1;
  const last = missing.requests === MAX_REQUESTS;
  const retryMs = last ? Number.POSITIVE_INFINITY : nowMs + Math.max(MIN_RETRY_MS, rttMs * RETRY_ROUND_TRIPS);
  const echoes = rttMs >= ECHO_FROM_ROUND_TRIP_MS;
  missing.dueMs = echoes ? nowMs + ECHO_MS : retryMs;
  missing.retryMs = echoes ? retryMs : undefined;
}

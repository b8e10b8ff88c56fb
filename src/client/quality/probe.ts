/** How a probe raises the rate: doubled each second, from what is sent to what is to be carried. */
const DOUBLING_MS = 1_000;
/** At the full rate, so that a shaper's burst allowance is used up and a second of feedback is about it. */
const PLATEAU_MS = 800;
/**
 * Rate of padding over time: a ramp, so that a path which is too narrow is noticed when the rate is just above it and
 * hardly a queue has built up; what is sent beside it stays whole.
 */
export class Probe {
  readonly #from: number;
  readonly #target: number;
  readonly #startMs: number;
  #sentBytes = 0;

  /** Bits a second that are sent anyway, and that are to be reached with padding. */
  constructor(from: number, target: number, startMs: number) {
    this.#from = Math.max(50_000, from);
    this.#target = target;
    this.#startMs = startMs;
  }

  get #rampMs(): number {
    return Math.max(0, Math.log2(this.#target / this.#from)) * DOUBLING_MS;
  }

  isOver(nowMs: number): boolean {
    return nowMs - this.#startMs >= this.#rampMs + PLATEAU_MS;
  }

  /** Bytes of padding that are due now and were not sent yet. */
  due(nowMs: number): number {
    const t = nowMs - this.#startMs;
    const ramp = Math.min(t, this.#rampMs);
    // The integral of from · 2^(t / doubling) − from over the ramp, and the plateau after it.
    const grown = (this.#from * DOUBLING_MS * (2 ** (ramp / DOUBLING_MS) - 1)) / Math.LN2 - this.#from * ramp;
    const flat = Math.max(0, t - this.#rampMs) * Math.max(0, this.#target - this.#from);
    return Math.max(0, (grown + flat) / 8000 - this.#sentBytes);
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes;
  }
}

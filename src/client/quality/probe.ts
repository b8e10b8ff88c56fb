/** How a probe raises the rate: doubled each one and a half seconds. */
const DOUBLING_MS = 1_500;
/** At the full rate, so that a shaper's burst allowance is used up and half a second of feedback is about it. */
const PLATEAU_MS = 800;
/** Where nothing is sent, doubling begins here. */
const MIN_FROM = 50_000;

export interface ProbeOptions {
  /** Bits a second that are sent without the probe. */
  readonly sent: number;
  /** Where the ramp begins and ends, bits a second. */
  readonly from: number;
  readonly target: number;
  readonly startMs: number;
}

/**
 * Rate of padding over time: a ramp, so that a path which is too narrow is noticed when the rate is just above it and
 * hardly a queue has built up; what is sent beside it stays whole.
 */
export class Probe {
  readonly #sent: number;
  readonly #from: number;
  readonly #target: number;
  readonly #startMs: number;
  readonly #rampMs: number;
  #sentBytes = 0;

  constructor({ sent, from, target, startMs }: ProbeOptions) {
    this.#sent = sent;
    this.#from = Math.max(MIN_FROM, from);
    this.#target = target;
    this.#startMs = startMs;
    this.#rampMs = Math.max(0, Math.log2(target / this.#from)) * DOUBLING_MS;
  }

  isOver(nowMs: number): boolean {
    return nowMs - this.#startMs >= this.#rampMs + PLATEAU_MS;
  }

  /** Bytes of padding that are due now and were not sent yet. */
  due(nowMs: number): number {
    const t = nowMs - this.#startMs;
    const ramp = Math.min(t, this.#rampMs);
    // The integral of the rate over the ramp, which is exponential, and the plateau, less what is sent anyway.
    const grown = (this.#from * DOUBLING_MS * (2 ** (ramp / DOUBLING_MS) - 1)) / Math.LN2;
    const flat = Math.max(0, t - this.#rampMs) * this.#target;
    return Math.max(0, (grown + flat - this.#sent * t) / 8000 - this.#sentBytes);
  }

  sent(bytes: number): void {
    this.#sentBytes += bytes;
  }
}

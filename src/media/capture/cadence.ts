/** When a captured picture is sent, by what it shows. A pure clockwork: times are given, never read. */
import type { Content } from './content.ts';

export interface CadenceOptions {
  /** Pictures a second of motion, and the most there are at all. */
  readonly frameRate: number;
  /** Pictures a second of detail that changes all the time, 1 to 5. */
  readonly detailRate?: number;
}

const DETAIL_RATE = 5;
/** Changes of detail that may follow one another at once: who types or turns pages is not made to wait. */
const DETAIL_BURST = 3;
/**
 * After a change of detail the same picture is encoded again for so long, so that the codec spends its bits on making
 * text crisp and not on waiting.
 */
const REFINE_MS = 1_000;
const REFINE_INTERVAL_MS = 200;
/**
 * What does not change is sent again so often: the server takes a layer that was silent for 1.5 s for one that nothing
 * comes of.
 */
const REPEAT_INTERVAL_MS = 1_000;
/** Timers and captures come a little early or late; a picture that is due so soon is due now. */
const SLACK_MS = 5;

export class Cadence {
  readonly #frameIntervalMs: number;
  readonly #detailIntervalMs: number;
  #changedMs = Number.NEGATIVE_INFINITY;
  #sentMs = Number.NEGATIVE_INFINITY;
  /** Changes of detail that may be sent at once, as of the last that was. */
  #credit = DETAIL_BURST;
  #creditMs = 0;
  /** A change that is not sent yet. */
  #pending = false;

  constructor({ frameRate, detailRate = DETAIL_RATE }: CadenceOptions) {
    this.#frameIntervalMs = 1_000 / frameRate;
    this.#detailIntervalMs = 1_000 / Math.min(frameRate, detailRate);
  }

  /** The picture is another one now. */
  changed(nowMs: number): void {
    this.#pending = true;
    this.#changedMs = nowMs;
  }

  /** The picture was sent. */
  sent(nowMs: number): void {
    if (this.#pending) {
      const earned = (nowMs - this.#creditMs) / this.#detailIntervalMs;
      this.#credit = Math.max(0, Math.min(DETAIL_BURST, this.#credit + earned) - 1);
      this.#creditMs = nowMs;
    }
    this.#pending = false;
    this.#sentMs = nowMs;
  }

  /** A change waits to be sent. */
  get pending(): boolean {
    return this.#pending;
  }

  /** When the current picture has to be sent (again), in the time of `changed` and `sent`. */
  dueMs(content: Content): number {
    if (this.#sentMs === Number.NEGATIVE_INFINITY) return this.#sentMs;
    return this.#dueMs(content) - SLACK_MS;
  }

  #dueMs(content: Content): number {
    const soonest = this.#sentMs + this.#frameIntervalMs;
    if (this.#pending && content === 'motion') return soonest;
    if (this.#pending) {
      return Math.max(soonest, this.#creditMs + (1 - this.#credit) * this.#detailIntervalMs);
    }
    const refining = content === 'detail' && this.#sentMs < this.#changedMs + REFINE_MS;
    return this.#sentMs + (refining ? REFINE_INTERVAL_MS : REPEAT_INTERVAL_MS);
  }
}

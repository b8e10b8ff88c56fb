/**
 * Keeps the estimate up where packets are lost at random. The worker's estimator takes any loss above 10 % for congestion
 * and lowers the estimate by half the loss three times a second, until nothing is left of it: at 15 % on a wide link 3
 * Mbit/s become 200 kbit/s within ten seconds. Loss that stays although less is sent is not for want of bandwidth; then
 * the estimate of before it is held, and the rules for loss decide.
 */
import { BUDGET_LOSS, FEC_LOSS, LASTING_LOSS_MS } from './policy.ts';

/** Congestion is over by then, as a layer has been given up for it, or two. */
const SETTLED_MS = LASTING_LOSS_MS + 1_500;
/** An estimate counts as undisturbed when this long passes without loss after it. */
const UNDISTURBED_MS = 1_500;
/** So much more loss than when the estimate began to be held is congestion after all. */
const CONGESTION_LOSS = 0.08;
const CONGESTION_MS = 1_500;
/** Then it is not held again for this long. */
const BLOCKED_MS = 30_000;
const RELEASE_MS = 2_000;

export class LossFloor {
  readonly #initial: number;
  /** Estimates without loss of the last seconds. */
  #calm: { atMs: number; estimate: number }[] = [];
  #lossySinceMs: number | undefined;
  #calmSinceMs: number | undefined;
  #held: { readonly floor: number; readonly loss: number } | undefined;
  #worseSinceMs: number | undefined;
  #blockedUntilMs = -Infinity;

  /** @param initial what the estimate started with, for those who lose packets from the start. */
  constructor(initial: number) {
    this.#initial = initial;
  }

  /** @returns what the estimate is to be held at; 0 when it is to follow the worker's own rules. */
  update(nowMs: number, estimate: number, loss: number): number {
    if (loss < FEC_LOSS) {
      this.#calmSinceMs ??= nowMs;
      this.#lossySinceMs = undefined;
      this.#calm = this.#calm.filter(({ atMs }) => nowMs - atMs <= 2 * UNDISTURBED_MS);
      this.#calm.push({ atMs: nowMs, estimate });
      if (nowMs - this.#calmSinceMs >= RELEASE_MS) this.#held = undefined;
      return this.#held?.floor ?? 0;
    }
    this.#calmSinceMs = undefined;
    if (loss >= BUDGET_LOSS) this.#lossySinceMs ??= nowMs;
    if (this.#held !== undefined) return this.#watch(nowMs, loss);
    if (this.#lossySinceMs === undefined || nowMs < this.#blockedUntilMs) return 0;
    if (nowMs - this.#lossySinceMs < SETTLED_MS) return 0;
    this.#held = { floor: this.#undisturbed(this.#lossySinceMs), loss };
    this.#worseSinceMs = undefined;
    return this.#held.floor;
  }

  #watch(nowMs: number, loss: number): number {
    const { floor, loss: before } = this.#held!;
    if (loss < before + CONGESTION_LOSS) this.#worseSinceMs = undefined;
    else this.#worseSinceMs ??= nowMs;
    if (this.#worseSinceMs === undefined || nowMs - this.#worseSinceMs < CONGESTION_MS) return floor;
    this.#held = undefined;
    this.#blockedUntilMs = nowMs + BLOCKED_MS;
    return 0;
  }

  #undisturbed(lossySinceMs: number): number {
    const before = this.#calm.filter(({ atMs }) => lossySinceMs - atMs >= UNDISTURBED_MS);
    return before.length === 0 ? this.#initial : Math.min(...before.map(({ estimate }) => estimate));
  }
}

import type { Clock } from '../../../src/client/rtp/clock.ts';

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time that a test moves; timers run in their order while it moves. */
export class FakeClock implements Clock {
  #now: number;
  #timers: Timer[] = [];

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  get timers(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = { atMs: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Time passes without anything running; then what is due runs. */
  stall(ms: number): void {
    this.#now += ms;
    this.advance(0);
  }

  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs <= end && (!next || timer.atMs < next.atMs)) next = timer;
      }
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.atMs);
      next.callback();
    }
    this.#now = end;
  }
}

/** Lets only so many calls run at once; the others wait in the order they came, and not too many of them. */
export class Semaphore {
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor({ slots, maxWaiting }: { slots: number; maxWaiting: number }) {
    this.#free = slots;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs it when its turn comes; `busy` makes the error where too many wait already. */
  async run<T>(call: () => Promise<T>, busy: () => Error): Promise<T> {
    if (this.#free === 0 && this.#waiting.length >= this.#maxWaiting) throw busy();
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      return await call();
    } finally {
      // The slot goes from hand to hand, so that nobody who comes later takes it before those who wait.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}

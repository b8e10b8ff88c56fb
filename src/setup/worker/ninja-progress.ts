/** Reads ninja's status lines (`[12/61] Building …`) and estimates the time that is left. */
export class NinjaProgress {
  readonly #now: () => number;
  #startedAt: number | undefined;
  #done = 0;
  #total = 0;

  /** @param now clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes one line of output; `true` when it moved the progress. */
  read(line: string): boolean {
    const match = /^\[(\d+)\/(\d+)\] /.exec(line);
    if (match === null) return false;
    const done = Number(match[1]);
    const total = Number(match[2]);
    if (total === 0 || done > total || done < this.#done) return false;
    this.#startedAt ??= this.#now();
    this.#done = done;
    this.#total = total;
    return true;
  }

  get done(): number {
    return this.#done;
  }

  get total(): number {
    return this.#total;
  }

  /**
   * Seconds left at the speed so far, `undefined` until a tenth is done: the first steps (schemas, the
   * precompiled header) run alone and say nothing about the rest.
   */
  get etaSeconds(): number | undefined {
    if (this.#startedAt === undefined || this.#done < Math.max(2, this.#total / 10)) return undefined;
    const elapsed = (this.#now() - this.#startedAt) / 1000;
    return Math.round((elapsed / this.#done) * (this.#total - this.#done));
  }
}

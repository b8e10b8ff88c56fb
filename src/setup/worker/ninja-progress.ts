/** Reads ninja's status lines (`[12/61] Building …`) and estimates the time that is left. */
export class NinjaProgress {
  readonly #expectedSeconds: number;
  readonly #now: () => number;
  #startedAt: number | undefined;
  #done = 0;
  #total = 0;

  /**
   * @param expectedSeconds what the whole build takes elsewhere, for the estimate of the beginning
   * @param now clock in milliseconds
   */
  constructor(expectedSeconds: number, now: () => number = () => performance.now()) {
    this.#expectedSeconds = expectedSeconds;
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
   * Seconds left; `undefined` before the first line. The first steps (schemas, the precompiled header, the
   * largest units) are slower than the rest, so the speed so far counts as much as the part that is done.
   */
  get etaSeconds(): number | undefined {
    if (this.#startedAt === undefined || this.#total === 0) return undefined;
    const part = this.#done / this.#total;
    const elapsed = (this.#now() - this.#startedAt) / 1000;
    const measured = part === 0 ? 0 : elapsed / part;
    return Math.round((part * measured + (1 - part) * this.#expectedSeconds) * (1 - part));
  }
}

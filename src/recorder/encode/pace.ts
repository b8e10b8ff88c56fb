/** Whether an encoder keeps up, from the pictures that it could not take. */

/** So many of the last pictures left out say that it does not; a busy moment leaves out fewer. */
const WINDOW_SECONDS = 3;
const MOST_LEFT_OUT = 0.1;
/** After a change the first pictures say nothing yet. */
const SETTLE_SECONDS = 3;

export class Pace {
  readonly #window: number;
  readonly #settle: number;
  #outcomes: boolean[] = [];
  #leftOut = 0;
  #skip = 0;

  constructor(fps: number) {
    this.#window = Math.round(fps * WINDOW_SECONDS);
    this.#settle = Math.round(fps * SETTLE_SECONDS);
  }

  /** Counts a picture; `true` when the encoder is too slow. */
  count(taken: boolean): boolean {
    if (this.#skip > 0) {
      this.#skip -= 1;
      return false;
    }
    this.#outcomes.push(taken);
    if (!taken) this.#leftOut += 1;
    if (this.#outcomes.length > this.#window && this.#outcomes.shift() === false) this.#leftOut -= 1;
    return this.#leftOut > this.#window * MOST_LEFT_OUT;
  }

  /** Begins anew with another encoder. */
  reset(): void {
    this.#outcomes = [];
    this.#leftOut = 0;
    this.#skip = this.#settle;
  }
}

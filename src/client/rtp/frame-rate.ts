const WINDOW_MS = 1000;

/** Frames of the last second. */
export class FrameRate {
  #times: number[] = [];
  #head = 0;

  add(nowMs: number): void {
    this.#times.push(nowMs);
    this.#expire(nowMs);
  }

  at(nowMs: number): number {
    this.#expire(nowMs);
    return this.#times.length - this.#head;
  }

  #expire(nowMs: number): void {
    while (this.#head < this.#times.length && nowMs - this.#times[this.#head]! > WINDOW_MS) this.#head += 1;
    if (this.#head >= 256) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** Ties a sender's samples to the recorder's clock, whatever rate the sender's own has. */

/** Samples in a millisecond. */
export const SAMPLES_PER_MS = 48;
/** A crystal is wrong by 100 ppm at most; sound cards made of software by more. */
const MAX_DRIFT = 0.001;
/** Noise of the times is averaged over so many seconds; shorter at first, when nothing is known yet. */
const MEMORY_SECONDS = 4;
const FIRST_MEMORY_SECONDS = 0.5;

/** A second-order tracker: it follows a constant drift without lagging behind. */
export class MediaClock {
  /** Wall clock in samples of media sample `#reference`. */
  #wall = 0;
  #reference = 0;
  /** Wall samples to a media sample, less 1. */
  #drift = 0;
  #seconds = 0;
  #known = false;

  /** Parts by which the sender's clock is slow: 0.0002 for 200 ppm. */
  get drift(): number {
    return this.#drift;
  }

  /** How far off the clock a time is, in samples; positive where it is later. 0 before the first. */
  deviation(mediaSample: number, wallSample: number): number {
    return this.#known ? wallSample - this.#wallAt(mediaSample) : 0;
  }

  /** Takes the wall clock of a media sample. */
  observe(mediaSample: number, wallSample: number): void {
    if (!this.#known) {
      this.reset(mediaSample, wallSample);
      return;
    }
    const seconds = (mediaSample - this.#reference) / (1000 * SAMPLES_PER_MS);
    if (seconds <= 0) return;
    this.#seconds += seconds;
    const memory = Math.min(MEMORY_SECONDS, Math.max(FIRST_MEMORY_SECONDS, this.#seconds / 2));
    const expected = this.#wallAt(mediaSample);
    const error = wallSample - expected;
    const weight = Math.min(0.5, seconds / memory);
    this.#wall = expected + 2 * weight * error * (1 - weight / 2);
    const drift = this.#drift + ((weight / memory) * error) / (1000 * SAMPLES_PER_MS);
    this.#drift = Math.max(-MAX_DRIFT, Math.min(MAX_DRIFT, drift));
    this.#reference = mediaSample;
  }

  /** Begins anew at a time, with the drift that is known. */
  reset(mediaSample: number, wallSample: number): void {
    this.#wall = wallSample;
    this.#reference = mediaSample;
    this.#known = true;
  }

  /** Media sample, with its fraction, that is heard at a wall time in samples. */
  mediaAt(wallSample: number): number {
    return this.#reference + (wallSample - this.#wall) / (1 + this.#drift);
  }

  #wallAt(mediaSample: number): number {
    return this.#wall + (mediaSample - this.#reference) * (1 + this.#drift);
  }
}

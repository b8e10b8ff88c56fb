/** Who is turned down while somebody else speaks. */

/** Breath, keys and rooms of those who listen add up; 10 dB less is half as loud, and an "mhm" is still heard. */
export const DUCKED_DB = -10;
/** Down within a syllable: faster is heard as a gate that closes. */
const DOWN_SECONDS = 0.15;
/** Back when the talk has ended, so slowly that rooms do not breathe between sentences. */
const UP_SECONDS = 0.8;
/** Who begins to speak is there at once; the detector looks ahead, so no consonant is lost to it. */
const SPEAKING_SECONDS = 0.03;
const RATE = 48_000;

export class Ducking {
  #db = 0;

  get db(): number {
    return this.#db;
  }

  /** Follows for so many samples. */
  advance(samples: number, state: { readonly speaks: boolean; readonly othersSpeak: boolean }): void {
    const wanted = state.othersSpeak && !state.speaks ? DUCKED_DB : 0;
    const seconds = wanted < this.#db ? DOWN_SECONDS : state.speaks ? SPEAKING_SECONDS : UP_SECONDS;
    this.#db = wanted + (this.#db - wanted) * Math.exp(-samples / (seconds * RATE));
  }
}

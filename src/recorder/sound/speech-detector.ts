/** When somebody speaks, from the loudness of pieces of 20 ms. */

/** Speech falls to the noise behind it within so many pieces (2 s); steady noise is always there. */
const FLOOR_PIECES = 100;
const ABOVE_FLOOR_DB = 9;
/** As loud as that it is meant to be heard, even without a pause: music, a tone. */
const SURELY_MEANT = -35;
/** Nothing quieter is speech that a recording could make understood. */
const LEAST = -60;
/** A voiced piece alone is a click; so many of the last five are a voice. */
const RECENT = 5;
const VOICED_OF_RECENT = 3;
/** Pauses within a sentence, in samples: speech goes on for so long after its last voiced piece. */
const HANG_SAMPLES = 0.7 * 48_000;
/** A word begins softly before it is found: 100 ms until it is, 60 ms of the consonant before it. */
const LEAD_SAMPLES = 0.16 * 48_000;

export class SpeechDetector {
  readonly #levels = new Float32Array(FLOOR_PIECES).fill(Number.POSITIVE_INFINITY);
  #next = 0;
  #recent: boolean[] = [];
  #from = Number.POSITIVE_INFINITY;
  #until = Number.NEGATIVE_INFINITY;

  /** Takes the loudness (LUFS) of the piece that ends at a sample. */
  piece(loudness: number, endSample: number): void {
    this.#levels[this.#next] = loudness;
    this.#next = (this.#next + 1) % FLOOR_PIECES;
    const voiced = loudness > LEAST && (loudness > this.floor + ABOVE_FLOOR_DB || loudness > SURELY_MEANT);
    this.#recent = [...this.#recent, voiced].slice(-RECENT);
    const speech = this.#recent.filter(Boolean).length >= VOICED_OF_RECENT;
    if (speech) {
      if (endSample - LEAD_SAMPLES > this.#until) this.#from = endSample - LEAD_SAMPLES;
      this.#until = endSample + HANG_SAMPLES;
    }
  }

  /** Whether somebody speaks at a sample that is not older than two seconds. */
  speaksAt(sample: number): boolean {
    return sample >= this.#from && sample < this.#until;
  }

  /** Loudness of what is always there, LUFS. */
  get floor(): number {
    let floor = Number.POSITIVE_INFINITY;
    for (const level of this.#levels) if (level < floor) floor = level;
    return floor;
  }
}

/** How loud a speaker is: gated as in ITU-R BS.1770-4, and slowly forgotten. */
import { loudnessOf } from './decibel.ts';

/** Momentary loudness is that of 400 ms, looked at each 100 ms (EBU Tech 3341). */
const BLOCKS_A_WINDOW = 4;
const LOWEST = -70;
const HIGHEST = 10;
const BINS = HIGHEST - LOWEST;
const RELATIVE_GATE = 10;
/** Seconds of speech that count: a speaker who moves away is followed in so long, a single loud word is not. */
const MEMORY_WINDOWS = 200;

export class SpeechLoudness {
  /** Windows by loudness, in steps of 1 dB: how many, and the sum of their mean squares. */
  readonly #counts = new Float64Array(BINS);
  readonly #sums = new Float64Array(BINS);
  #blocks: number[] = [];
  #windows = 0;
  #integrated: number | undefined;

  /** LUFS; `undefined` before the first speech. */
  get integrated(): number | undefined {
    return this.#integrated;
  }

  /** Tenths of a second of speech that were measured. */
  get windows(): number {
    return this.#windows;
  }

  /** Takes the K-weighted mean square of 100 ms; only where they are speech the window that they end counts. */
  block(meanSquare: number, speech: boolean): void {
    this.#blocks = [...this.#blocks, meanSquare].slice(-BLOCKS_A_WINDOW);
    if (!speech) return;
    // The very first words are measured by themselves, whatever silence was before them.
    const blocks = this.#blocks.slice(-(this.#windows + 1));
    const window = blocks.reduce((sum, one) => sum + one, 0) / blocks.length;
    const bin = Math.floor(loudnessOf(window)) - LOWEST;
    if (bin < 0) return;
    this.#windows += 1;
    const keep = 1 - 1 / Math.min(this.#windows, MEMORY_WINDOWS);
    // A plain mean at first, so that the first words count at once.
    if (this.#windows > MEMORY_WINDOWS) {
      for (let i = 0; i < BINS; i += 1) {
        this.#counts[i]! *= keep;
        this.#sums[i]! *= keep;
      }
    }
    const at = Math.min(bin, BINS - 1);
    this.#counts[at]! += 1;
    this.#sums[at]! += window;
    this.#integrated = this.#gated(Math.max(0, Math.floor(this.#gated(0) - RELATIVE_GATE) - LOWEST));
  }

  #gated(firstBin: number): number {
    let count = 0;
    let sum = 0;
    for (let i = firstBin; i < BINS; i += 1) {
      count += this.#counts[i]!;
      sum += this.#sums[i]!;
    }
    return count === 0 ? LOWEST : loudnessOf(sum / count);
  }
}

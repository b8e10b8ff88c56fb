import { OPUS_RATE } from '../opus/index.ts';

/** Samples of each channel in a millisecond. */
const SAMPLES_PER_MS = OPUS_RATE / 1000;
const CHANNELS = 2;
/** Sound that is kept ready of each voice, so that scattered arrivals make no gaps. */
const TARGET_SAMPLES = 60 * SAMPLES_PER_MS;
/** More than this has gathered after a stall or by a clock that is fast: the rest is skipped. */
const MAX_SAMPLES = 250 * SAMPLES_PER_MS;
/** Full scale of a 16-bit sample. */
const PEAK = 32_767;
/** How much the limiter's gain comes back with each block: half of what is missing in about a second. */
const RELEASE = 0.015;

/** The sound of one track as it waits to be mixed. */
export class MixerInput {
  readonly #chunks: Int16Array[] = [];
  /** Samples of each channel that wait. */
  #waiting = 0;
  #playing = false;

  /** Takes interleaved stereo at 48 kHz. */
  push(pcm: Int16Array): void {
    this.#chunks.push(pcm);
    this.#waiting += pcm.length / CHANNELS;
    if (this.#waiting > MAX_SAMPLES) this.#skip(this.#waiting - TARGET_SAMPLES);
  }

  /** Adds what is due to the sum. After a gap nothing is heard until enough has gathered again. */
  addTo(sum: Float32Array): void {
    if (!this.#playing && this.#waiting < TARGET_SAMPLES) return;
    this.#playing = true;
    let at = 0;
    while (at < sum.length) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) {
        this.#playing = false;
        return;
      }
      const count = Math.min(chunk.length, sum.length - at);
      for (let i = 0; i < count; i += 1) sum[at + i]! += chunk[i]!;
      at += count;
      this.#take(count / CHANNELS);
    }
  }

  #skip(samples: number): void {
    let left = samples;
    while (left > 0 && this.#chunks[0] !== undefined) {
      const count = Math.min(left, this.#chunks[0].length / CHANNELS);
      this.#take(count);
      left -= count;
    }
  }

  #take(samples: number): void {
    const first = this.#chunks[0]!;
    const count = samples * CHANNELS;
    if (count >= first.length) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#waiting -= samples;
  }
}

/** Mixes voices to one stereo sound that never clips: several loud ones are turned down together. */
export class AudioMixer {
  readonly #inputs = new Set<MixerInput>();
  #gain = 1;

  add(): MixerInput {
    const input = new MixerInput();
    this.#inputs.add(input);
    return input;
  }

  remove(input: MixerInput): void {
    this.#inputs.delete(input);
  }

  /** The next so many samples of each channel, interleaved. */
  mix(samples: number): Int16Array {
    const sum = new Float32Array(samples * CHANNELS);
    for (const input of this.#inputs) input.addTo(sum);
    let peak = 0;
    for (const value of sum) peak = Math.max(peak, Math.abs(value));
    this.#gain = Math.min(1, this.#gain + (1 - this.#gain) * RELEASE);
    if (peak * this.#gain > PEAK) this.#gain = PEAK / peak;
    return Int16Array.from(sum, (value) => Math.round(value * this.#gain));
  }
}

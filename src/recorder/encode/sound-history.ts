/** The last seconds of sound, for an encoder that takes over from one that died. */
import { SOUND_CHANNELS, SOUND_RATE } from './types.ts';

/** Longer than any encoder is waited for; 6 MB. */
const KEPT_SAMPLES = 30 * SOUND_RATE;

export class SoundHistory {
  #blocks: { readonly at: number; readonly pcm: Int16Array }[] = [];
  /** The sample after the last. */
  #end = 0;

  constructor(firstSample: number) {
    this.#end = firstSample;
  }

  get end(): number {
    return this.#end;
  }

  /** The first sample that is still here. */
  get start(): number {
    return this.#blocks[0]?.at ?? this.#end;
  }

  push(pcm: Int16Array): void {
    this.#blocks.push({ at: this.#end, pcm });
    this.#end += pcm.length / SOUND_CHANNELS;
    this.release(this.#end - KEPT_SAMPLES);
  }

  /** Says that nothing before this sample is needed any more. */
  release(sample: number): void {
    let count = 0;
    for (const { at, pcm } of this.#blocks) {
      if (at + pcm.length / SOUND_CHANNELS > sample) break;
      count += 1;
    }
    if (count > 0) this.#blocks = this.#blocks.slice(count);
  }

  /** Everything from this sample on, which must not lie before `start`. */
  *from(sample: number): Generator<Int16Array> {
    for (const { at, pcm } of this.#blocks) {
      const skip = Math.max(0, sample - at) * SOUND_CHANNELS;
      if (skip < pcm.length) yield skip === 0 ? pcm : pcm.subarray(skip);
    }
  }
}

/** RFC 6464 section 3: silence, and everything quieter than −127 dBov. */
export const SILENT_LEVEL = 127;

/**
 * Level of 16-bit samples as −dBov, 0 to 127 (RFC 6464): the root mean square against that of a full-scale square
 * wave, over all channels.
 */
export function audioLevel(samples: Int16Array): number {
  if (samples.length === 0) return SILENT_LEVEL;
  let sum = 0;
  for (const sample of samples) sum += sample * sample;
  const rms = Math.sqrt(sum / samples.length) / 32_768;
  if (rms === 0) return SILENT_LEVEL;
  return Math.min(SILENT_LEVEL, Math.max(0, Math.round(-20 * Math.log10(rms))));
}

/** Cuts 16-bit little-endian samples into frames and gives the level of each. */
export class AudioLevelReader {
  readonly #sink: (level: number) => void;
  readonly #frame: Int16Array;
  readonly #bytes: Uint8Array;
  #filled = 0;

  constructor(samplesPerFrame: number, sink: (level: number) => void) {
    this.#sink = sink;
    this.#frame = new Int16Array(samplesPerFrame);
    this.#bytes = new Uint8Array(this.#frame.buffer);
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      const part = Math.min(chunk.length - at, this.#bytes.length - this.#filled);
      this.#bytes.set(chunk.subarray(at, at + part), this.#filled);
      this.#filled += part;
      at += part;
      if (this.#filled === this.#bytes.length) {
        this.#sink(audioLevel(this.#frame));
        this.#filled = 0;
      }
    }
  }

  /** The level of a last, shorter frame. */
  end(): void {
    if (this.#filled >= 2) this.#sink(audioLevel(this.#frame.subarray(0, this.#filled >> 1)));
    this.#filled = 0;
  }
}

/** The last seconds of one channel, by sample number. */

/** 2.7 s: more than the recorder's delay and a stall of the network together. */
export const RING_SAMPLES = 1 << 17;
const MASK = RING_SAMPLES - 1;

export class SampleRing {
  readonly #data = new Float32Array(RING_SAMPLES);

  write(at: number, samples: Float32Array, count: number): void {
    for (let i = 0; i < count; i += 1) this.#data[(at + i) & MASK] = samples[i]!;
  }

  silence(at: number, count: number): void {
    for (let i = 0; i < Math.min(count, RING_SAMPLES); i += 1) this.#data[(at + i) & MASK] = 0;
  }

  read(at: number, to: Float32Array, count: number): void {
    for (let i = 0; i < count; i += 1) to[i] = this.#data[(at + i) & MASK]!;
  }

  /** Multiplies what is there by a ramp from one factor to another. */
  ramp(at: number, count: number, from: number, to: number): void {
    for (let i = 0; i < count; i += 1)
      this.#data[(at + i) & MASK]! *= from + ((to - from) * (i + 0.5)) / count;
  }
}

/** The weighting of ITU-R BS.1770-4, Annex 1: a shelf for the head, and a high pass; coefficients for 48 kHz. */
const SHELF = {
  b0: 1.53512485958697,
  b1: -2.69169618940638,
  b2: 1.19839281085285,
  a1: -1.69065929318241,
  a2: 0.73248077421585,
};
const HIGH_PASS = { a1: -1.99004745483398, a2: 0.99007225036621 };

/** Weights one channel and sums up its squares. */
export class KWeighting {
  #s1 = 0;
  #s2 = 0;
  #h1 = 0;
  #h2 = 0;

  /** Sum of the squares of the weighted samples from `start` to `end`. */
  energy(samples: Float32Array, start: number, end: number): number {
    // Transposed direct form II: two states a filter.
    let s1 = this.#s1;
    let s2 = this.#s2;
    let h1 = this.#h1;
    let h2 = this.#h2;
    let sum = 0;
    for (let i = start; i < end; i += 1) {
      const x = samples[i]!;
      const y = SHELF.b0 * x + s1;
      s1 = SHELF.b1 * x - SHELF.a1 * y + s2;
      s2 = SHELF.b2 * x - SHELF.a2 * y;
      const z = y + h1;
      h1 = -2 * y - HIGH_PASS.a1 * z + h2;
      h2 = y - HIGH_PASS.a2 * z;
      sum += z * z;
    }
    // What is left of a filter that has nothing to do must not become a denormal number, which processors are slow with.
    this.#s1 = Math.abs(s1) < 1e-15 ? 0 : s1;
    this.#s2 = Math.abs(s2) < 1e-15 ? 0 : s2;
    this.#h1 = Math.abs(h1) < 1e-15 ? 0 : h1;
    this.#h2 = Math.abs(h2) < 1e-15 ? 0 : h2;
    return sum;
  }
}

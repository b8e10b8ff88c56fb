/**
 * Packets that the window reaches back. RFC 3711 section 3.3.2 asks for 64 at least; a retransmission without
 * RTX comes one or two round trips late, which at 2,000 packets a second is several hundred packets.
 */
const WINDOW = 1024;

/** Replay list of one SSRC (RFC 3711 section 3.3.2). Indices reach up to 2^48. */
export class ReplayWindow {
  #highest = -1;
  readonly #seen = new Uint8Array(WINDOW);

  /** Whether a packet of that index may be accepted. */
  isNew(index: number): boolean {
    if (index > this.#highest) return true;
    return this.#highest - index < WINDOW && this.#seen[index % WINDOW] === 0;
  }

  /** To be called only for packets whose authentication succeeded. */
  accept(index: number): void {
    if (index > this.#highest) {
      if (index - this.#highest >= WINDOW) this.#seen.fill(0);
      else for (let i = this.#highest + 1; i < index; i += 1) this.#seen[i % WINDOW] = 0;
      this.#highest = index;
    }
    this.#seen[index % WINDOW] = 1;
  }
}

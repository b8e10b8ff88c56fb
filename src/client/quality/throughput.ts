import type { AckedPacket } from '../rtp/sent-packet-history.ts';

/** What is kept: longer than any window that is asked for. */
const KEPT_MS = 1_500;

/** Rate at which packets arrived, on the receiver's clock. */
export class Throughput {
  #packets: { arrivedMs: number; bytes: number }[] = [];

  add(packets: readonly AckedPacket[]): void {
    for (const { arrivedMs, bytes } of packets) this.#packets.push({ arrivedMs, bytes });
    // Packets overtake one another by little; the window only has to be about right.
    const latest = this.#packets.at(-1)?.arrivedMs ?? 0;
    let first = 0;
    while (first < this.#packets.length && latest - this.#packets[first]!.arrivedMs > KEPT_MS) first += 1;
    if (first > 0) this.#packets.splice(0, first);
  }

  /** Bits a second over the last `windowMs` of arrivals; `undefined` for fewer than `minPackets`. */
  over(windowMs: number, minPackets = 5): number | undefined {
    const latest = this.#packets.at(-1)?.arrivedMs;
    if (latest === undefined) return undefined;
    const window = this.#packets.filter(({ arrivedMs }) => latest - arrivedMs < windowMs);
    if (window.length < minPackets) return undefined;
    // Pictures come in bursts: the time before the first packet belongs to the window as well.
    const bytes = window.reduce((sum, packet) => sum + packet.bytes, 0);
    const covered = latest - this.#packets[0]!.arrivedMs;
    return (bytes * 8000) / Math.max(1, Math.min(windowMs, covered));
  }
}

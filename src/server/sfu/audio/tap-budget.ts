/**
 * Whose packets are looked at in this process. A participant who is silent on DTX sends next to nothing and is heard with
 * his first packet when he is looked at; but three hundred who send silence all the time would be 15 000 packets a
 * second. So there is a budget, and above it those who have not talked for longest are parked: their packets stay in
 * the worker, whose level observer tells when one of them is to be looked at again. Pure; the caller has the clock.
 */

/** Packets a second that may come for all who have no slot: twenty who send all the time. */
export const BUDGET_PACKETS_PER_SECOND = 1_000;
/** How far the budget may be exceeded until the next {@link TapBudget.review}, to look at somebody who begins to talk. */
const BURST = 1.5;
/**
 * Streams with fewer packets a second are never parked: they are cheap, and the worker's level observer does not see them
 * (it wants ten packets in 300 ms, so that whoever sends 60 ms a packet would not be found again).
 */
export const LEAST_PARKED_RATE = 40;

/** No Opus encoder sends more: the shortest frames, of 2.5 ms, are 400 a second. More is an attack on this process. */
export const MAX_RATE = 500;
/** Whoever sends more is not looked at for so many reviews. */
export const FLOOD_REVIEWS = 10;

interface Tapped {
  packets: number;
  /** Packets a second, of the last review or the present count. */
  rate: number;
  parked: boolean;
  /** Reviews until it may be looked at again. */
  banned: number;
}

export class TapBudget {
  readonly #taps = new Map<string, Tapped>();
  #reviewedAt: number;

  constructor(now: number) {
    this.#reviewedAt = now;
  }

  add(id: string): void {
    this.#taps.set(id, { packets: 0, rate: 0, parked: false, banned: 0 });
  }

  remove(id: string): void {
    this.#taps.delete(id);
  }

  /** Counts a packet; says whether it is one too many, and the tap is to be parked now. */
  packet(id: string): boolean {
    const tap = this.#taps.get(id);
    if (tap === undefined) return false;
    tap.packets++;
    if (tap.packets <= MAX_RATE || tap.parked) return false;
    tap.rate = tap.packets;
    tap.parked = true;
    tap.banned = FLOOD_REVIEWS;
    return true;
  }

  /** A parked one is heard; says whether it is to be looked at again, and counts it if so. */
  wake(id: string): boolean {
    const tap = this.#taps.get(id);
    if (tap === undefined || !tap.parked || tap.banned > 0) return false;
    const rate = Math.min(tap.rate, MAX_RATE);
    if (this.#total() + rate > BUDGET_PACKETS_PER_SECOND * BURST) return false;
    tap.rate = rate;
    tap.parked = false;
    return true;
  }

  /**
   * Counts anew; to be called every second or so.
   *
   * @param rank when each was last heard, on any clock; `Infinity` for who must not be parked.
   * @returns those to park now.
   */
  review(now: number, rank: (id: string) => number): string[] {
    const seconds = Math.max((now - this.#reviewedAt) / 1000, 0.001);
    this.#reviewedAt = now;
    for (const tap of this.#taps.values()) {
      if (tap.banned > 0) tap.banned--;
      if (!tap.parked) tap.rate = tap.packets / seconds;
      tap.packets = 0;
    }
    let excess = this.#total() - BUDGET_PACKETS_PER_SECOND;
    if (excess <= 0) return [];
    const candidates = [...this.#taps]
      .filter(([id, { parked, rate }]) => !parked && rate >= LEAST_PARKED_RATE && rank(id) !== Infinity)
      .sort(([a], [b]) => rank(a) - rank(b));
    const parked: string[] = [];
    for (const [id, tap] of candidates) {
      if (excess <= 0) break;
      tap.parked = true;
      excess -= tap.rate;
      parked.push(id);
    }
    return parked;
  }

  #total(): number {
    let total = 0;
    for (const { parked, rate } of this.#taps.values()) if (!parked) total += rate;
    return total;
  }
}

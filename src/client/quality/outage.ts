import type { AckedPacket, TransportFeedbackReport } from '../rtp/sent-packet-history.ts';

/**
 * A path on which nothing at all arrives for so long is cut, and not too narrow: a link of 30 kbit/s passes a large
 * packet every 320 ms, however much is dropped in front of it.
 */
const OUTAGE_MS = 400;

interface Judged {
  /** Packets since the outage where there was one, else all. */
  readonly acked: readonly AckedPacket[];
  /** How many were lost, those of an outage left out. */
  readonly lost: number;
  /** The path was cut until the first of `acked`. */
  readonly outage: boolean;
}

/** Tells the losses of a path that was cut from those of one that is too narrow. */
export class OutageWatch {
  #last: AckedPacket | undefined;
  /** Numbers of packets reported lost after the last one that arrived: what follows tells why. */
  #open: number[] = [];

  judge({ acked, lost }: Pick<TransportFeedbackReport, 'acked' | 'lost'>): Judged {
    this.#open.push(...lost);
    const newest = acked.at(-1);
    if (newest === undefined) return { acked, lost: 0, outage: false };
    let outageEnd: AckedPacket | undefined;
    for (const packet of acked) {
      if (this.#last !== undefined && packet.sequence <= this.#last.sequence) continue;
      if (this.#endsOutage(packet)) outageEnd = packet;
      this.#last = packet;
    }
    const from = outageEnd?.sequence ?? Number.NEGATIVE_INFINITY;
    const known = this.#open.filter((sequence) => sequence < newest.sequence);
    this.#open = this.#open.filter((sequence) => sequence > newest.sequence);
    return {
      acked: outageEnd === undefined ? acked : acked.filter(({ sequence }) => sequence >= from),
      lost: known.filter((sequence) => sequence > from).length,
      outage: outageEnd !== undefined,
    };
  }

  #endsOutage({ sequence, sentMs }: AckedPacket): boolean {
    const last = this.#last;
    if (last === undefined || sentMs - last.sentMs < OUTAGE_MS) return false;
    // A sender that was silent has lost nothing meanwhile.
    return this.#open.some((lost) => lost > last.sequence && lost < sequence);
  }
}

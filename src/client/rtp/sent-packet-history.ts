import { roundTripSmoothing } from './round-trip.ts';
import type { TransportFeedback } from './rtcp/types.ts';
import { SequenceQueue } from './sequence-queue.ts';

/** Sent and arrival time of a packet that the other side received. */
export interface AckedPacket {
  /** Transport-wide sequence number, unwrapped. */
  readonly sequence: number;
  /** Bytes on the wire. */
  readonly bytes: number;
  /** On our clock, milliseconds since the epoch. */
  readonly sentMs: number;
  /** On the other side's clock; its origin is arbitrary. */
  readonly arrivedMs: number;
}

/** What one feedback packet said, as a bandwidth estimator takes it. */
export interface TransportFeedbackReport {
  /** When it came, milliseconds since the epoch. */
  readonly receivedMs: number;
  /** Packets reported as received for the first time, in sending order. */
  readonly acked: readonly AckedPacket[];
  /** Unwrapped sequence numbers of packets reported as not received; a later report may still ack one. */
  readonly lost: readonly number[];
}

export interface TransportFeedbackStats {
  /** Share of the packets reported over the last second that did not arrive, 0 to 1. */
  readonly lossFraction: number;
  /** Bits a second that arrived over the last second. */
  readonly receivedBitrate: number;
  /** Time from sending to feedback, which includes the time that the receiver kept it back. */
  readonly feedbackMs: number | undefined;
}

interface Entry {
  readonly bytes: number;
  readonly sentMs: number;
  state: 'sent' | 'lost' | 'acked' | 'resent';
}

/** Feedback later than this says nothing about the path as it is now. */
const MAX_AGE_MS = 10_000;
/** Bounds the memory at 100 Mbit/s of large packets for about two seconds. */
const MAX_PACKETS = 20_000;
const WINDOW_MS = 1000;
/** The reference time has 24 bits of 64 ms. */
const REFERENCE_RANGE_MS = 2 ** 24 * 64;

/** Sender side of transport-wide congestion control: numbers packets and matches feedback with them. */
export class SentPacketHistory {
  readonly #entries: SequenceQueue<Entry>;
  #reports: { atMs: number; acked: number; lost: number; bytes: number; spanMs: number }[] = [];
  #feedbackMs: number | undefined;
  #lastReference: number | undefined;
  #lastArrivedMs: number | undefined;

  /** `first` is the first number to be given out, 0 to 65535. */
  constructor(first: number) {
    this.#entries = new SequenceQueue(first);
  }

  /** The number that the next packet will take; its low 16 bits go on the wire. */
  get next(): number {
    return this.#entries.next;
  }

  /** Notes that the packet with number `next` went out. */
  sent(bytes: number, nowMs: number): void {
    this.#entries.push({ bytes, sentMs: nowMs, state: 'sent' });
    for (let oldest = this.#entries.oldest; oldest; oldest = this.#entries.oldest) {
      const kept = nowMs - oldest.sentMs <= MAX_AGE_MS && this.#entries.size <= MAX_PACKETS;
      if (kept && oldest.state !== 'acked') break;
      this.#entries.shift();
    }
  }

  /** The very packet goes again under its number: when it arrives says nothing about the path from now on. */
  resent(sequence: number): void {
    const entry = this.#entries.get(sequence);
    if (entry && entry.state !== 'acked') entry.state = 'resent';
  }

  /** Numbers that were never sent, or long ago, are passed over. */
  feedback(feedback: TransportFeedback, nowMs: number): TransportFeedbackReport {
    const acked: AckedPacket[] = [];
    const lost: number[] = [];
    let sequence = this.#unwrap(feedback.baseSequence);
    let arrivedMs = this.#reference(feedback.referenceTime * 64);
    for (const delta of feedback.deltas) {
      const entry = this.#entries.get(sequence);
      if (delta !== undefined) arrivedMs += delta / 4;
      if (entry && (entry.state === 'sent' || entry.state === 'lost') && delta !== undefined) {
        acked.push({ sequence, bytes: entry.bytes, sentMs: entry.sentMs, arrivedMs });
        entry.state = 'acked';
        this.#feedbackMs = roundTripSmoothing(this.#feedbackMs, nowMs - entry.sentMs);
      } else if (entry?.state === 'sent' && delta === undefined) {
        entry.state = 'lost';
        lost.push(sequence);
      }
      sequence += 1;
    }
    this.#note(nowMs, acked, lost.length);
    return { receivedMs: nowMs, acked, lost };
  }

  stats(nowMs: number): TransportFeedbackStats {
    this.#reports = this.#reports.filter(({ atMs }) => nowMs - atMs <= WINDOW_MS);
    let acked = 0;
    let lost = 0;
    let bytes = 0;
    let spanMs = 0;
    for (const report of this.#reports) {
      acked += report.acked;
      lost += report.lost;
      bytes += report.bytes;
      spanMs += report.spanMs;
    }
    return {
      lossFraction: acked + lost > 0 ? lost / (acked + lost) : 0,
      receivedBitrate: spanMs > 0 ? (bytes * 8000) / spanMs : 0,
      feedbackMs: this.#feedbackMs,
    };
  }

  /** The number nearest to the last one sent. */
  #unwrap(sequenceNumber: number): number {
    const last = this.next - 1;
    const distance = ((sequenceNumber - last) << 16) >> 16;
    return last + distance;
  }

  /** Carries the reference time on over its wrap after twelve days. */
  #reference(referenceMs: number): number {
    if (this.#lastReference === undefined) this.#lastReference = referenceMs;
    const turns = Math.round((this.#lastReference - referenceMs) / REFERENCE_RANGE_MS);
    this.#lastReference = referenceMs + turns * REFERENCE_RANGE_MS;
    return this.#lastReference;
  }

  #note(atMs: number, acked: readonly AckedPacket[], lost: number): void {
    const last = acked.at(-1)?.arrivedMs;
    const since = this.#lastArrivedMs ?? acked[0]?.arrivedMs;
    const spanMs = last !== undefined && since !== undefined ? Math.max(0, last - since) : 0;
    if (last !== undefined) this.#lastArrivedMs = Math.max(last, this.#lastArrivedMs ?? last);
    const bytes = acked.reduce((sum, packet) => sum + packet.bytes, 0);
    this.#reports.push({ atMs, acked: acked.length, lost, bytes, spanMs });
    if (this.#reports.length > 256) this.#reports.shift();
  }
}

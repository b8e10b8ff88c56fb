import { compactNtp, msToCompact, type NtpTime } from './ntp.ts';
import type { ReportBlock } from './rtcp/types.ts';

/** What a sequence number means for the stream. */
export type Arrival =
  /** The next or a later one; `skipped` numbers before it have not come yet. */
  | { readonly kind: 'new'; readonly sequence: number; readonly skipped: number }
  /** Behind the highest: reordered, sent again, or a duplicate. */
  | { readonly kind: 'old'; readonly sequence: number }
  /** The sender began anew, or so much was lost that nothing before it is worth waiting for. */
  | { readonly kind: 'jump'; readonly sequence: number }
  /** Far behind; two in a row are a jump. */
  | { readonly kind: 'stray' };

const RANGE = 65_536;
/** Packets lost at a stretch beyond which the stream is taken as begun anew: a second of 10 Mbit/s. */
const MAX_GAP = 1000;
/** A packet further behind is no reordering any more. */
const MAX_BEHIND = 1000;
/** A stream that is silent for longer has nothing that a keyframe could mend. */
const ACTIVE_MS = 1000;
/** Internal sequence numbers begin one cycle up, so that what was sent before the first packet fits below it. */
const FIRST_CYCLE = RANGE;

/**
 * Sequence numbers, losses and jitter of one stream (RFC 3550 sections 6.4.1, A.1, A.3 and A.8).
 * Packets repaired over RTX are not counted here: RFC 4588 section 6.3 wants reports about the original stream.
 */
export class ReceptionStatistics {
  readonly #clockRate: number;
  #highest = -1;
  #base = 0;
  #received = 0;
  #expectedPrior = 0;
  #receivedPrior = 0;
  #jitter = 0;
  #lastTransit: number | undefined;
  #lastTimestamp = -1;
  #lastArrivalMs = Number.NEGATIVE_INFINITY;
  #straySequenceNumber = -1;
  #lastSenderReport: { compact: number; atMs: number } | undefined;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  /** Whether a packet came within the last second. */
  active(nowMs: number): boolean {
    return nowMs - this.#lastArrivalMs <= ACTIVE_MS;
  }

  /** Whether the number lies in what has been counted; one before the first packet does not. */
  isKnown(sequence: number): boolean {
    return sequence >= this.#base;
  }

  get jitterMs(): number {
    return (this.#jitter * 1000) / this.#clockRate;
  }

  /** Where a 16-bit number lies; gives and keeps extended numbers that never wrap. */
  classify(sequenceNumber: number): Arrival {
    if (this.#highest < 0) {
      this.#highest = FIRST_CYCLE + sequenceNumber;
      this.#base = this.#highest;
      return { kind: 'new', sequence: this.#highest, skipped: 0 };
    }
    const distance = ((sequenceNumber - this.#highest) << 16) >> 16;
    if (distance > 0 && distance <= MAX_GAP) {
      this.#highest += distance;
      this.#straySequenceNumber = -1;
      return { kind: 'new', sequence: this.#highest, skipped: distance - 1 };
    }
    if (distance <= 0 && distance >= -MAX_BEHIND) return { kind: 'old', sequence: this.#highest + distance };
    const restarts = distance > 0 || sequenceNumber === this.#straySequenceNumber;
    if (!restarts) {
      this.#straySequenceNumber = (sequenceNumber + 1) & 0xffff;
      return { kind: 'stray' };
    }
    this.#straySequenceNumber = -1;
    this.#highest += (sequenceNumber - this.#highest) & 0xffff;
    this.#base = this.#highest;
    this.#received = 0;
    this.#expectedPrior = 0;
    this.#receivedPrior = 0;
    this.#lastTransit = undefined;
    return { kind: 'jump', sequence: this.#highest };
  }

  /** Where the number of a repaired packet lies; `undefined` where it cannot be of this stream as it is. */
  locate(sequenceNumber: number): number | undefined {
    if (this.#highest < 0) return undefined;
    const distance = ((sequenceNumber - this.#highest) << 16) >> 16;
    return distance > 0 || distance < -MAX_BEHIND ? undefined : this.#highest + distance;
  }

  /** Counts a packet of the original stream; `inOrder` ones also tell the jitter. */
  received(timestamp: number, inOrder: boolean, nowMs: number): void {
    this.#received += 1;
    this.#lastArrivalMs = nowMs;
    // The packets of a picture share a timestamp and are paced: only the first says something about jitter.
    if (!inOrder || timestamp === this.#lastTimestamp) return;
    this.#lastTimestamp = timestamp;
    const arrival = Math.round((nowMs * this.#clockRate) / 1000);
    const transit = (arrival - timestamp) % 2 ** 32;
    if (this.#lastTransit !== undefined) {
      const difference = Math.abs((transit - this.#lastTransit) | 0);
      // A source that seeks or a layer that switches makes a step in time; it is no jitter.
      if (difference < this.#clockRate * 10) this.#jitter += (difference - this.#jitter) / 16;
    }
    this.#lastTransit = transit;
  }

  senderReport(ntp: NtpTime, nowMs: number): void {
    this.#lastSenderReport = { compact: compactNtp(ntp), atMs: nowMs };
  }

  /** The block for the next report; it closes the interval of the fraction lost. */
  report(ssrc: number, nowMs: number): ReportBlock | undefined {
    if (this.#highest < 0) return undefined;
    const expected = this.#highest - this.#base + 1;
    const expectedInterval = expected - this.#expectedPrior;
    const lostInterval = expectedInterval - (this.#received - this.#receivedPrior);
    this.#expectedPrior = expected;
    this.#receivedPrior = this.#received;
    const last = this.#lastSenderReport;
    const fraction = expectedInterval > 0 && lostInterval > 0 ? (lostInterval * 256) / expectedInterval : 0;
    return {
      ssrc,
      fractionLost: Math.min(255, Math.floor(fraction)),
      cumulativeLost: expected - this.#received,
      highestSequence: (this.#highest - FIRST_CYCLE) % 2 ** 32,
      jitter: Math.floor(this.#jitter),
      lastSenderReport: last?.compact ?? 0,
      delaySinceLastSenderReport: last ? msToCompact(nowMs - last.atMs) : 0,
    };
  }
}

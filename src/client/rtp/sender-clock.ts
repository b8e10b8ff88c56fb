import { fromNtp } from './ntp.ts';
import type { SenderReport } from './rtcp/types.ts';

/** Reports that the mapping is taken from: eight seconds at the usual rate. */
const REPORTS = 8;
/** A step of the sender's wall clock, or a stream begun anew, beyond which older reports are dropped. */
const MAX_STEP_MS = 250;

/**
 * Wall clock of the sender for RTP timestamps, out of its reports.
 *
 * An SFU makes the reports of what it forwards from the time at which the last packet came to it, so each is
 * late by what that packet was delayed (a paced keyframe: tens of milliseconds). The least delayed of the last
 * few is the nearest to the truth; with reports made by the capturing side all agree. A sender that puts the capture
 * time into its packets (abs-capture-time, which an SFU forwards as it is) needs no such guess.
 */
export class SenderClock {
  readonly #clockRate: number;
  /** Wall clock of RTP timestamp 0 after unwrapping, by report. */
  #originsMs: number[] = [];
  #anchor: number | undefined;
  /** The mapping came from the packets themselves. */
  #exact = false;

  constructor(clockRate: number) {
    this.#clockRate = clockRate;
  }

  report(report: SenderReport): void {
    // Some senders report zeros before they know their clock.
    if (report.ntp.seconds === 0 || this.#exact) return;
    this.#anchor ??= report.rtpTimestamp;
    const origin = fromNtp(report.ntp) - this.#sinceAnchorMs(report.rtpTimestamp, this.#anchor);
    const last = this.#originsMs.at(-1);
    if (last !== undefined && Math.abs(origin - last) > MAX_STEP_MS) this.#originsMs = [];
    // The anchor moves along, so that 32-bit distances from it stay unambiguous for ever.
    const moved = this.#sinceAnchorMs(report.rtpTimestamp, this.#anchor);
    this.#originsMs = [...this.#originsMs, origin].slice(-REPORTS).map((originMs) => originMs + moved);
    this.#anchor = report.rtpTimestamp;
  }

  /** Takes the capture time that a packet carries. */
  captured(rtpTimestamp: number, captureTimeMs: number): void {
    this.#exact = true;
    this.#anchor = rtpTimestamp;
    this.#originsMs = [captureTimeMs];
  }

  /** Milliseconds since the epoch; `undefined` before the first report. */
  captureTimeMs(rtpTimestamp: number): number | undefined {
    if (this.#anchor === undefined) return undefined;
    return Math.min(...this.#originsMs) + this.#sinceAnchorMs(rtpTimestamp, this.#anchor);
  }

  #sinceAnchorMs(rtpTimestamp: number, anchor: number): number {
    return (((rtpTimestamp - anchor) | 0) * 1000) / this.#clockRate;
  }
}

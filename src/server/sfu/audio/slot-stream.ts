/**
 * The RTP stream of an audio slot: packets of one speaker after the other, rewritten so that sequence numbers and
 * timestamps go on (RFC 3550 section 5.1). Pure; the caller has the clock.
 */
import { randomInt } from 'node:crypto';
import type { AudioPacket } from './rtp-header.ts';

/** Hz, RFC 7587 section 4.1. */
const CLOCK_RATE = 48_000;
/** The shortest packet that Opus encoders make in practice, in RTP clock ticks: 10 ms. */
const LEAST_STEP = 480;
/** A source whose sequence numbers jump by more, or whose clock is off by more, has begun anew. */
const MAX_SEQUENCE_JUMP = 500;
const MAX_CLOCK_JUMP_MS = 2_000;

interface Tenure {
  readonly source: string;
  readonly sequenceDelta: number;
  readonly timestampDelta: number;
  /** Packets from its first to its last: what comes late from before the first is dropped. */
  length: number;
}

export class SlotStream {
  readonly #ssrc: number;
  readonly #originTimestamp = randomInt(2 ** 32);
  readonly #originMs: number;
  #tenure: Tenure | undefined;
  #lastSequence = randomInt(2 ** 16);
  #lastTimestamp: number | undefined;

  /** @param now milliseconds on a clock that only goes forward; so in {@link rewrite}. */
  constructor(ssrc: number, now: number) {
    this.#ssrc = ssrc;
    this.#originMs = now;
  }

  /**
   * Rewrites a packet of `source` in place.
   *
   * @returns its RTP timestamp in the slot and whether it is the source's first; `undefined` when it comes too late.
   */
  rewrite(
    packet: Buffer,
    { sequenceNumber, timestamp }: AudioPacket,
    source: string,
    now: number,
  ): { timestamp: number; first: boolean } | undefined {
    let tenure = this.#tenure;
    const first = tenure?.source !== source || this.#restarted(tenure, sequenceNumber, timestamp, now);
    if (tenure === undefined || first) {
      tenure = {
        source,
        length: 0,
        sequenceDelta: (this.#lastSequence + 1 - sequenceNumber) & 0xffff,
        timestampDelta: (this.#nextTimestamp(now) - timestamp) >>> 0,
      };
      this.#tenure = tenure;
    }
    const outSequence = (sequenceNumber + tenure.sequenceDelta) & 0xffff;
    const step = signed16(outSequence - this.#lastSequence);
    if (tenure.length + step <= 0) return undefined;
    const outTimestamp = (timestamp + tenure.timestampDelta) >>> 0;
    packet.writeUInt16BE(outSequence, 2);
    packet.writeUInt32BE(outTimestamp, 4);
    packet.writeUInt32BE(this.#ssrc, 8);
    // The marker says that a talk-spurt begins (RFC 3551 section 4.1): jitter buffers may adapt there.
    if (first) packet[1] = packet[1]! | 0x80;
    if (step > 0) {
      this.#lastSequence = outSequence;
      tenure.length += step;
    }
    if (this.#lastTimestamp === undefined || signed32(outTimestamp - this.#lastTimestamp) > 0) {
      this.#lastTimestamp = outTimestamp;
    }
    return { timestamp: outTimestamp, first };
  }

  /**
   * Where the next source begins: at the time that has passed, so that pauses are as long as they were and what each
   * change adds does not sum up, but always after the last packet.
   */
  #nextTimestamp(now: number): number {
    const due = this.#clock(now);
    if (this.#lastTimestamp === undefined) return due;
    const earliest = (this.#lastTimestamp + LEAST_STEP) >>> 0;
    return signed32(due - earliest) > 0 ? due : earliest;
  }

  #clock(now: number): number {
    return (this.#originTimestamp + Math.round(((now - this.#originMs) * CLOCK_RATE) / 1000)) >>> 0;
  }

  #restarted(
    { sequenceDelta, timestampDelta }: Tenure,
    sequence: number,
    timestamp: number,
    now: number,
  ): boolean {
    const jump = signed16(((sequence + sequenceDelta) & 0xffff) - this.#lastSequence);
    if (Math.abs(jump) > MAX_SEQUENCE_JUMP) return true;
    const ahead = signed32(((timestamp + timestampDelta) >>> 0) - this.#clock(now));
    return Math.abs(ahead) > (MAX_CLOCK_JUMP_MS * CLOCK_RATE) / 1000;
  }
}

function signed16(value: number): number {
  return (value << 16) >> 16;
}

function signed32(value: number): number {
  return value | 0;
}

import type { OpusDecoderHandle } from 'libopus-wasm';
import { opusDurationUs } from '../rtp/opus-packet.ts';
import { hasFec } from './fec.ts';

/** Samples a second of each channel, and of the RTP clock (RFC 7587 section 4.1). */
export const OPUS_RATE = 48_000;
const SAMPLES_PER_MS = OPUS_RATE / 1000;
/** Packets are at most so long, RFC 6716 section 3.2.5. */
const MAX_PACKET_SAMPLES = 120 * SAMPLES_PER_MS;
/** Concealment works in steps of 2.5 ms. */
const STEP_SAMPLES = 2.5 * SAMPLES_PER_MS;
/** Longer gaps are silence: what libopus makes up has faded long before. */
const MAX_GAP_SAMPLES = OPUS_RATE;
/** A packet further behind than this is none that was late: the stream has begun anew. */
const RESTART_SAMPLES = OPUS_RATE;

/** How samples came about: from their packet, from the one after it, or made up from what was before. */
export type AudioOrigin = 'packet' | 'fec' | 'concealment';

export interface DecodedAudio {
  /** Interleaved, 16 bit, 48 kHz. */
  readonly pcm: Int16Array;
  /** Of the first sample, 32 bit. */
  readonly rtpTimestamp: number;
  readonly origin: AudioOrigin;
}

export interface OpusFrame {
  readonly data: Uint8Array;
  /** 32 bit. */
  readonly rtpTimestamp: number;
  /** Packets were lost just before; without it a step in time is a pause of the sender (DTX). */
  readonly gapBefore: boolean;
}

/** Milliseconds of sound by how they came about. */
export interface ConcealmentStats {
  readonly decodedMs: number;
  /** Lost, and recovered from the in-band FEC of the packet after. */
  readonly recoveredMs: number;
  /** Lost, and made up. */
  readonly concealedMs: number;
}

/**
 * Decodes the packets of one track, in their order, to sound without gaps: what was lost is taken from the in-band
 * FEC of the next packet where it has one, and concealed otherwise; the sender's pauses become comfort noise.
 */
export class OpusTrackDecoder {
  readonly channels: 1 | 2;
  readonly #decoder: OpusDecoderHandle;
  /** Timestamp after the last sample that was given out. */
  #next: number | undefined;
  #lastSamples = 20 * SAMPLES_PER_MS;
  #decoded = 0;
  #recovered = 0;
  #concealed = 0;
  #closed = false;

  private constructor(decoder: OpusDecoderHandle, channels: 1 | 2) {
    this.#decoder = decoder;
    this.channels = channels;
  }

  static async create(channels: 1 | 2): Promise<OpusTrackDecoder> {
    // Loaded when the first track is decoded: most clients decode none.
    const { createDecoder } = await import('libopus-wasm');
    return new OpusTrackDecoder(await createDecoder({ channels, sampleRate: OPUS_RATE }), channels);
  }

  stats(): ConcealmentStats {
    return {
      decodedMs: this.#decoded / SAMPLES_PER_MS,
      recoveredMs: this.#recovered / SAMPLES_PER_MS,
      concealedMs: this.#concealed / SAMPLES_PER_MS,
    };
  }

  /** Gives what fills the gap before the packet, and the packet's sound; nothing for a packet that is late. */
  decode(frame: OpusFrame): DecodedAudio[] {
    if (this.#closed) return [];
    const durationUs = opusDurationUs(frame.data);
    const samples = durationUs === undefined ? this.#lastSamples : (durationUs * SAMPLES_PER_MS) / 1000;
    const missing = this.#next === undefined ? 0 : (frame.rtpTimestamp - this.#next) | 0;
    if (missing < 0 && missing > -RESTART_SAMPLES) return [];
    const given: DecodedAudio[] = [];
    if (missing > 0 && missing <= MAX_GAP_SAMPLES) this.#fill(given, frame, missing);
    else if (missing !== 0) this.#next = undefined;
    this.#next ??= frame.rtpTimestamp;
    const pcm = durationUs === undefined ? undefined : this.#try(frame.data, false, samples);
    if (pcm) this.#decoded += samples;
    else this.#concealed += samples;
    this.#give(given, pcm ?? this.#conceal(samples), pcm ? 'packet' : 'concealment');
    this.#lastSamples = samples;
    return given;
  }

  /** Frees the decoder. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#decoder.free();
  }

  #fill(given: DecodedAudio[], { data, gapBefore }: OpusFrame, missing: number): void {
    const last = Math.min(missing, this.#lastSamples);
    const recoverable = gapBefore && last % STEP_SAMPLES === 0 && hasFec(data);
    let left = missing - (recoverable ? last : 0);
    while (left > 0) {
      const samples = Math.min(left, this.#lastSamples, MAX_PACKET_SAMPLES);
      this.#give(given, this.#conceal(samples), 'concealment');
      if (gapBefore) this.#concealed += samples;
      left -= samples;
    }
    if (!recoverable) return;
    const pcm = this.#try(data, true, last);
    if (pcm) this.#recovered += last;
    else this.#concealed += last;
    this.#give(given, pcm ?? this.#conceal(last), pcm ? 'fec' : 'concealment');
  }

  #give(given: DecodedAudio[], pcm: Int16Array, origin: AudioOrigin): void {
    const rtpTimestamp = this.#next! >>> 0;
    given.push({ pcm, rtpTimestamp, origin });
    this.#next = (rtpTimestamp + pcm.length / this.channels) % 2 ** 32;
  }

  /** `undefined` for a packet that libopus does not take. */
  #try(data: Uint8Array, decodeFec: boolean, frameSize: number): Int16Array | undefined {
    try {
      return this.#decoder.decode(data, decodeFec ? { decodeFec, frameSize } : { maxFrameSize: frameSize });
    } catch {
      return undefined;
    }
  }

  #conceal(samples: number): Int16Array {
    // What is no multiple of a step is cut from the next one: timestamps of strangers may be anything.
    const whole = Math.ceil(samples / STEP_SAMPLES) * STEP_SAMPLES;
    const pcm = this.#decoder.decodePacketLoss(whole);
    return whole === samples ? pcm : pcm.slice(0, samples * this.channels);
  }
}

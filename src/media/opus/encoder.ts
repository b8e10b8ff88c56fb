import type { OpusEncoderHandle } from 'libopus-wasm';
import { audioLevel } from '../encode/audio-level.ts';
import { OPUS_RATE } from './decoder.ts';

/** Samples of each channel in a packet of 20 ms. */
export const PACKET_SAMPLES = OPUS_RATE / 50;
/** Speech at these rates stays in Opus' SILK and hybrid modes, the only ones with in-band FEC. */
const BITRATE = { 1: 32_000, 2: 48_000 } as const;
/** What packets are protected for where nobody has said more: it costs little, and the first loss comes unannounced. */
const MIN_LOSS_PERCENT = 10;

export interface EncodedSound {
  readonly data: Buffer;
  /** In −dBov, 0 to 127. */
  readonly level: number;
}

/** Encodes live sound in process, so that its protection follows the loss on its way without a new encoder. */
export class OpusLiveEncoder {
  readonly #encoder: OpusEncoderHandle;
  readonly #samples: Int16Array;
  readonly #bytes: Uint8Array;
  #filled = 0;
  #closed = false;

  private constructor(encoder: OpusEncoderHandle, channels: 1 | 2) {
    this.#encoder = encoder;
    this.#samples = new Int16Array(PACKET_SAMPLES * channels);
    this.#bytes = new Uint8Array(this.#samples.buffer);
  }

  /** @param music the sound of a film or of music rather than speech */
  static async create(channels: 1 | 2, music = false): Promise<OpusLiveEncoder> {
    const { Application, createEncoder } = await import('libopus-wasm');
    const encoder = await createEncoder({
      channels,
      sampleRate: OPUS_RATE,
      application: music ? Application.Audio : Application.Voip,
      bitrate: music ? 2 * BITRATE[channels] : BITRATE[channels],
      fec: true,
      packetLossPercent: MIN_LOSS_PERCENT,
      frameSize: PACKET_SAMPLES,
    });
    return new OpusLiveEncoder(encoder, channels);
  }

  /** Takes 16-bit little-endian samples in pieces of any size; gives the packets that are full with them. */
  *encode(chunk: Uint8Array): Generator<EncodedSound> {
    for (let at = 0; at < chunk.length && !this.#closed; ) {
      const part = Math.min(chunk.length - at, this.#bytes.length - this.#filled);
      this.#bytes.set(chunk.subarray(at, at + part), this.#filled);
      this.#filled += part;
      at += part;
      if (this.#filled < this.#bytes.length) return;
      this.#filled = 0;
      yield { data: Buffer.from(this.#encoder.encode(this.#samples)), level: audioLevel(this.#samples) };
    }
  }

  /** Forgets what is no whole packet. */
  restart(): void {
    this.#filled = 0;
  }

  /** Protects the packets from now on for so much loss. */
  setLoss(percent: number): void {
    if (!this.#closed) this.#encoder.setPacketLossPercent(Math.min(100, Math.max(MIN_LOSS_PERCENT, percent)));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#encoder.free();
  }
}

/** A source of packets instead of pictures: of given size and rate, each with the time it was made. */
import { randomBytes } from 'node:crypto';
import type { EncodedFrame, EncodedSource, SourceSink } from '../../src/media/types.ts';

export interface SyntheticOptions {
  /** Audio packets a second, 0 for none. */
  readonly audioRate: number;
  /** Bytes of an audio packet's payload. */
  readonly audioBytes: number;
  /** Pictures a second, 0 for none. */
  readonly videoRate: number;
  /** Bytes of a picture; up to 1,150 go into one packet. */
  readonly videoBytes: number;
}

/** A VP8 keyframe header for 320x180 (RFC 6386 section 9.1): every picture is one, the rest of it is noise. */
const VP8_KEYFRAME_HEADER = Buffer.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00]);
/** One frame of 20 ms (RFC 6716 section 3.1). */
const OPUS_TOC = 0x78;
/** −dBov of a voice: the server forwards sound of those who speak. */
const VOICE_LEVEL = 30;
/** Where the time stands in a frame: behind either header. */
const STAMP_OFFSET = VP8_KEYFRAME_HEADER.length;

/** Milliseconds on CLOCK_MONOTONIC, which all processes of a machine share. */
export function sharedClockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** When a frame of a synthetic source was made, on the shared clock. */
export function stampOf(frame: Buffer): number {
  return frame.readDoubleLE(STAMP_OFFSET);
}

export class SyntheticSource implements EncodedSource {
  readonly video?: EncodedSource['video'];
  readonly audio?: EncodedSource['audio'];
  readonly #options: SyntheticOptions;
  readonly #audioNoise: Buffer;
  readonly #videoNoise: Buffer;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: SyntheticOptions) {
    this.#options = options;
    this.#audioNoise = randomBytes(Math.max(options.audioBytes, STAMP_OFFSET + 8));
    this.#videoNoise = randomBytes(Math.max(options.videoBytes, STAMP_OFFSET + 8));
    this.#audioNoise[0] = OPUS_TOC;
    VP8_KEYFRAME_HEADER.copy(this.#videoNoise);
    const { audioRate, videoRate, videoBytes } = options;
    if (audioRate > 0) this.audio = { codec: 'opus', channels: 1 };
    if (videoRate > 0) {
      const bitrate = videoRate * videoBytes * 8;
      this.video = { codec: 'vp8', layers: [{ width: 320, height: 180, bitrate }], frameRate: videoRate };
    }
  }

  start(sink: SourceSink): void {
    const { audioRate, videoRate } = this.#options;
    if (audioRate > 0) this.#every(1000 / audioRate, 'audio', this.#audioNoise, sink);
    if (videoRate > 0) this.#every(1000 / videoRate, 'video', this.#videoNoise, sink);
  }

  #every(intervalMs: number, kind: EncodedFrame['kind'], data: Buffer, sink: SourceSink): void {
    // Participants that start together must not send together.
    const originMs = performance.now() + Math.random() * intervalMs;
    let count = 0;
    const tick = () => {
      this.#timers.delete(timer);
      // A late timer sends what is due, as a live source does.
      while (originMs + count * intervalMs <= performance.now()) {
        // One buffer for all: whoever sends a frame copies what has to last.
        data.writeDoubleLE(sharedClockMs(), STAMP_OFFSET);
        const timestampUs = Math.round(count * intervalMs * 1000);
        const durationUs = Math.round(intervalMs * 1000);
        const audioLevel = kind === 'audio' ? { audioLevel: VOICE_LEVEL } : {};
        sink.frame({ kind, layer: 0, data, keyframe: true, timestampUs, durationUs, ...audioLevel });
        count += 1;
      }
      timer = setTimeout(tick, Math.max(0, originMs + count * intervalMs - performance.now()));
      this.#timers.add(timer);
    };
    let timer = setTimeout(tick, Math.max(0, originMs - performance.now()));
    this.#timers.add(timer);
  }

  requestKeyFrame(): void {
    // Every picture is one.
  }

  setLayerActive(): void {}

  close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    return Promise.resolve();
  }
}

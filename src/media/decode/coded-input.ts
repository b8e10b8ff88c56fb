import type { Writable } from 'node:stream';
import type { VideoCodec } from '../types.ts';
import { ivfFrame, ivfHeader } from './ivf-writer.ts';

/** An encoded frame as it comes out of a jitter buffer, in decoding order. */
export interface CodedPicture {
  readonly data: Buffer;
  readonly keyframe: boolean;
  readonly mediaTimeMs: number;
}

/** What ffmpeg is told about its input, so that it gives each picture out as soon as it has it. */
export const CODED_INPUT: readonly string[] = [
  ...['-probesize', '32', '-analyzeduration', '0', '-flags', 'low_delay'],
  // One thread: with more the decoder holds each picture back until the next comes.
  ...['-threads', '1'],
  ...['-f', 'ivf', '-i', 'pipe:0'],
];

/** A longer pause is a stream that has begun anew, milliseconds. */
const MAX_STEP_MS = 5_000;
const DEFAULT_STEP_MS = 33;

export interface CodedInputOptions {
  readonly codec: VideoCodec;
  /** A hint for the container; decoders take the size that is in the pictures. */
  readonly width: number;
  readonly height: number;
  /** Encoded bytes that may wait for a slow decoder. */
  readonly maxWaitingBytes: number;
}

/** Writes encoded pictures to a decoder's input: from a keyframe on, and again from one after it was too slow. */
export class CodedInput {
  readonly #options: CodedInputOptions;
  readonly #input: Writable;
  /** Media time of the last frame, and the time that it got in the container, milliseconds. */
  #last: { readonly mediaMs: number; readonly timeMs: number } | undefined;
  #needsKeyframe = true;

  constructor(input: Writable, options: CodedInputOptions) {
    this.#input = input;
    this.#options = options;
  }

  get needsKeyframe(): boolean {
    return this.#needsKeyframe;
  }

  /**
   * Takes the next frame; what comes before a keyframe is left out. `starved` means that the decoder is slower than what
   * comes, so that this frame and all up to the next keyframe are left out.
   */
  write({ data, keyframe, mediaTimeMs }: CodedPicture): 'written' | 'skipped' | 'starved' {
    if (!this.#input.writable) return 'skipped';
    if (this.#input.writableLength > this.#options.maxWaitingBytes) {
      const wasFlowing = !this.#needsKeyframe;
      this.#needsKeyframe = true;
      return wasFlowing ? 'starved' : 'skipped';
    }
    if (this.#needsKeyframe && !keyframe) return 'skipped';
    this.#needsKeyframe = false;
    if (this.#last === undefined) this.#input.write(ivfHeader(this.#options.codec, this.#options));
    const timeMs = this.#timeOf(mediaTimeMs);
    this.#last = { mediaMs: mediaTimeMs, timeMs };
    this.#input.write(ivfFrame(data, timeMs));
    return 'written';
  }

  /** Times go forward whatever the stream's do: one that begins anew begins anywhere. */
  #timeOf(mediaTimeMs: number): number {
    if (this.#last === undefined) return 0;
    const step = mediaTimeMs - this.#last.mediaMs;
    return this.#last.timeMs + (step > 0 && step < MAX_STEP_MS ? step : DEFAULT_STEP_MS);
  }
}

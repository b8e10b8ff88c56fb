import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../ffmpeg/process.ts';
import type { VideoCodec, VideoLayer } from '../types.ts';
import { CODECS, encoderFor } from './codecs.ts';
import { IvfReader } from './ivf.ts';
import { rawMatroskaHeader, rawMatroskaPrefix } from './raw-matroska.ts';

/** Codecs whose pictures leave ffmpeg at once; H.264 in MPEG-TS waits for the picture after it. */
export type LiveCodec = Extract<VideoCodec, 'vp8' | 'vp9'>;

/**
 * The picture's time is odd where a keyframe is wanted, and that is the condition on which the encoder forces one: exact
 * to the picture, and without a process that is started anew.
 */
const FORCE_KEYFRAME = 'expr:mod(floor(t*1000+0.5),2)';
/** Pictures in the encoder: one that it works at and one that it finds when it is done. */
const MAX_INSIDE = 2;

export interface LivePicture {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** As given to `encode`. */
  readonly timeMs: number;
}

export interface LiveEncoderOptions {
  readonly ffmpeg: Ffmpeg;
  readonly codec: LiveCodec;
  readonly layer: VideoLayer;
  /** Options of the encoder in place of those that files are encoded with. */
  readonly args?: readonly string[] | undefined;
  readonly onPicture: (picture: LivePicture) => void;
  /** It ended before it was closed. */
  readonly onFailed: (error: Error) => void;
}

/** One layer's encoder: takes I420 pictures with their times and gives each back encoded as soon as it is. */
export class LiveEncoder {
  readonly layer: VideoLayer;
  readonly #process: FfmpegProcess;
  readonly #times: { readonly timeMs: number; readonly stampMs: number }[] = [];
  #firstMs: number | undefined;
  #lastStampMs = -2;
  #closed = false;

  constructor({ ffmpeg, codec, layer, args, onPicture, onFailed }: LiveEncoderOptions) {
    this.layer = layer;
    const encoder = encoderFor(codec, ffmpeg);
    // libavcodec 60 came with ffmpeg 6; -vsync is gone in 8, -fps_mode came with 5.1.
    const keepTimes = ffmpeg.libavcodec[0] >= 60 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
    this.#process = new FfmpegProcess({
      path: ffmpeg.path,
      input: true,
      outputs: 1,
      args: [
        ...['-v', 'error', '-probesize', '32', '-analyzeduration', '0', '-f', 'matroska', '-i', 'pipe:0'],
        ...['-an', ...keepTimes, '-enc_time_base', '1:1000', '-force_key_frames', FORCE_KEYFRAME],
        ...['-c:v', encoder.name, ...(args ?? encoder.args(layer.bitrate, ffmpeg.libavcodec))],
        ...['-threads', '1', '-g', '9999', '-f', 'ivf', '-flush_packets', '1', 'pipe:3'],
      ],
    });
    const { isKeyFrame } = CODECS[codec];
    const reader = new IvfReader((ticks, data) => {
      const stampMs = Math.round(ticks / 90);
      // One picture in is not always one out: an encoder may drop what its rate has no bits for.
      while (this.#times[0] && this.#times[0].stampMs < stampMs) this.#times.shift();
      const time = this.#times.shift();
      if (time && !this.#closed) onPicture({ data, keyframe: isKeyFrame(data), timeMs: time.timeMs });
    });
    this.#process.outputs[0]!.on('data', (data: Buffer) => reader.push(data));
    this.#process.input?.write(rawMatroskaHeader(layer.width, layer.height));
    void this.#process.exit.then((exit) => {
      if (!this.#closed) onFailed(exitFailure(exit, 'encoding') ?? new Error('The encoder ended by itself.'));
    });
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Has no room for another picture now. */
  get busy(): boolean {
    return this.#times.length >= MAX_INSIDE;
  }

  /** Takes a picture of the layer's size; times are milliseconds on any clock and go forward. */
  encode(picture: Buffer, timeMs: number, keyframe: boolean): void {
    const { input } = this.#process;
    if (this.#closed || !input?.writable) return;
    this.#firstMs ??= timeMs;
    const even = Math.max(this.#lastStampMs + 2, Math.round((timeMs - this.#firstMs) / 2) * 2);
    this.#lastStampMs = even;
    // ffmpeg counts from the first picture, which is a keyframe anyway.
    const stampMs = keyframe && even > 0 ? even + 1 : even;
    this.#times.push({ timeMs, stampMs });
    input.write(rawMatroskaPrefix(stampMs, picture.length));
    input.write(picture);
  }

  /** Ends ffmpeg. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#process.close();
  }
}

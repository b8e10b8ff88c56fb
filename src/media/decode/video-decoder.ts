import { EventEmitter } from 'node:events';
import type { MeetError } from '../../protocol/errors.ts';
import { findFfmpeg } from '../ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../ffmpeg/process.ts';
import type { VideoCodec } from '../types.ts';
import { ivfFrame, ivfHeader } from './ivf-writer.ts';

/** A decoded picture: rows from the top, three bytes (red, green, blue) a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
}

/** An encoded frame as it comes out of a jitter buffer, in decoding order. */
export interface CodedPicture {
  readonly data: Buffer;
  readonly keyframe: boolean;
  readonly mediaTimeMs: number;
}

export interface VideoDecoderOptions {
  readonly codec: VideoCodec;
  /** Size of the pictures that come out, whatever goes in: they are scaled with their shape kept, on black. */
  readonly width: number;
  readonly height: number;
  /** Pictures that follow closer are decoded and not given out. */
  readonly maxFps: number;
  readonly ffmpegPath?: string;
}

interface VideoDecoderEvents {
  picture: [picture: Picture];
  /** A keyframe is needed to go on: frames were left out, as decoding is slower than what comes. */
  starved: [];
  failed: [error: MeetError];
}

/** Encoded bytes that may wait for a slow decoder: some seconds of a lowest layer. */
const MAX_WAITING_BYTES = 256 * 1024;
const BYTES_A_PIXEL = 3;
/** A longer pause is a stream that has begun anew, milliseconds. */
const MAX_STEP_MS = 5_000;
const DEFAULT_STEP_MS = 33;

/** Decodes the pictures of one video as they come, with one ffmpeg and one thread. */
export class VideoDecoder extends EventEmitter<VideoDecoderEvents> {
  readonly #options: VideoDecoderOptions;
  readonly #process: FfmpegProcess;
  #picture: Buffer;
  #filled = 0;
  /** Media time of the last frame, and the time that it got in the container, milliseconds. */
  #last: { readonly mediaMs: number; readonly timeMs: number } | undefined;
  #needsKeyframe = true;
  #closed = false;

  private constructor(options: VideoDecoderOptions, ffmpeg: FfmpegProcess) {
    super();
    this.#options = options;
    this.#process = ffmpeg;
    this.#picture = Buffer.allocUnsafe(options.width * options.height * BYTES_A_PIXEL);
    ffmpeg.outputs[0]!.on('data', (data: Buffer) => this.#read(data));
    void ffmpeg.exit.then((exit) => {
      if (this.#closed) return;
      const failure = exitFailure(exit, 'decoding video');
      if (failure) this.emit('failed', failure);
    });
  }

  /** @throws MeetError `ffmpeg-missing` */
  static async start(options: VideoDecoderOptions): Promise<VideoDecoder> {
    const { width, height, maxFps, ffmpegPath } = options;
    const { path, libavcodec } = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
    // One thread on either side: with more, decoder and raw encoder hold each picture back until the next comes.
    const thread = ['-threads', '1'];
    const input = ['-probesize', '32', '-analyzeduration', '0', '-flags', 'low_delay', ...thread];
    // Half a picture of slack: what comes at exactly that rate scatters around it.
    const spacing = 1 / maxFps - 1 / (2 * maxFps + 30);
    const filter = [
      `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${spacing.toFixed(4)})+lt(t,prev_selected_t)'`,
      `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=fast_bilinear`,
      `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=rgb24`,
    ].join(',');
    // libavcodec 60 came with ffmpeg 6; -vsync is gone in 8, -fps_mode came with 5.1.
    const keepTimes = libavcodec[0] >= 60 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
    const output = [
      '-vf',
      filter,
      ...keepTimes,
      ...thread,
      '-f',
      'rawvideo',
      '-flush_packets',
      '1',
      'pipe:3',
    ];
    const args = ['-v', 'error', ...input, '-f', 'ivf', '-i', 'pipe:0', ...output];
    return new VideoDecoder(options, new FfmpegProcess({ path, args, outputs: 1, input: true }));
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Takes the next frame; what comes before a keyframe is left out. */
  write({ data, keyframe, mediaTimeMs }: CodedPicture): void {
    const { input } = this.#process;
    if (this.#closed || !input?.writable) return;
    if (input.writableLength > MAX_WAITING_BYTES) {
      if (!this.#needsKeyframe) this.emit('starved');
      this.#needsKeyframe = true;
      return;
    }
    if (this.#needsKeyframe && !keyframe) return;
    this.#needsKeyframe = false;
    if (this.#last === undefined) input.write(ivfHeader(this.#options.codec, this.#options));
    const timeMs = this.#timeOf(mediaTimeMs);
    this.#last = { mediaMs: mediaTimeMs, timeMs };
    input.write(ivfFrame(data, timeMs));
  }

  /** Times go forward whatever the stream's do: one that begins anew begins anywhere. */
  #timeOf(mediaTimeMs: number): number {
    if (this.#last === undefined) return 0;
    const step = mediaTimeMs - this.#last.mediaMs;
    return this.#last.timeMs + (step > 0 && step < MAX_STEP_MS ? step : DEFAULT_STEP_MS);
  }

  #read(data: Buffer): void {
    const { width, height } = this.#options;
    for (let offset = 0; offset < data.length; ) {
      const copied = data.copy(this.#picture, this.#filled, offset);
      offset += copied;
      this.#filled += copied;
      if (this.#filled < this.#picture.length) return;
      const rgb = this.#picture;
      this.#picture = Buffer.allocUnsafe(rgb.length);
      this.#filled = 0;
      if (!this.#closed) this.emit('picture', { width, height, rgb });
    }
  }

  /** Ends ffmpeg. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#process.close();
  }
}

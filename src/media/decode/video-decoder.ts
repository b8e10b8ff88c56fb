import { EventEmitter } from 'node:events';
import type { MeetError } from '../../protocol/errors.ts';
import { findFfmpeg, keepTimes } from '../ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../ffmpeg/process.ts';
import type { VideoCodec } from '../types.ts';
import { CODED_INPUT, CodedInput, type CodedPicture } from './coded-input.ts';

/** A decoded picture: rows from the top, three bytes (red, green, blue) a pixel. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgb: Buffer;
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

/** Decodes the pictures of one video as they come, with one ffmpeg and one thread. */
export class VideoDecoder extends EventEmitter<VideoDecoderEvents> {
  readonly #options: VideoDecoderOptions;
  readonly #process: FfmpegProcess;
  readonly #input: CodedInput;
  #picture: Buffer;
  #filled = 0;
  #closed = false;

  private constructor(options: VideoDecoderOptions, ffmpeg: FfmpegProcess) {
    super();
    this.#options = options;
    this.#process = ffmpeg;
    this.#input = new CodedInput(ffmpeg.input!, { ...options, maxWaitingBytes: MAX_WAITING_BYTES });
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
    // One thread here too: with more, the raw encoder holds each picture back until the next comes.
    const thread = ['-threads', '1'];
    // Half a picture of slack: what comes at exactly that rate scatters around it.
    const spacing = 1 / maxFps - 1 / (2 * maxFps + 30);
    const filter = [
      `select='isnan(prev_selected_t)+gte(t-prev_selected_t,${spacing.toFixed(4)})+lt(t,prev_selected_t)'`,
      `scale=${width}:${height}:force_original_aspect_ratio=decrease:flags=fast_bilinear`,
      `pad=${width}:${height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=rgb24`,
    ].join(',');
    const output = [
      '-vf',
      filter,
      ...keepTimes({ libavcodec }),
      ...thread,
      '-f',
      'rawvideo',
      '-flush_packets',
      '1',
      'pipe:3',
    ];
    const args = ['-v', 'error', ...CODED_INPUT, ...output];
    return new VideoDecoder(options, new FfmpegProcess({ path, args, outputs: 1, input: true }));
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Takes the next frame; what comes before a keyframe is left out. */
  write(frame: CodedPicture): void {
    if (!this.#closed && this.#input.write(frame) === 'starved') this.emit('starved');
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

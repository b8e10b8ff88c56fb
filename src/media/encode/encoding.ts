import type { Readable } from 'node:stream';
import { MeetError } from '../../protocol/errors.ts';
import { AUDIO_FRAME_TICKS, AUDIO_RUN_PACKETS, EncodedMedia, type Run } from '../cache/media.ts';
import type { RunFile } from '../cache/run-file.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../ffmpeg/process.ts';
import { AUDIO_RATE, type EncodeOutput, type EncodeRequest, encodeArguments } from './arguments.ts';
import { AudioLevelReader, SILENT_LEVEL } from './audio-level.ts';
import { CODECS } from './codecs.ts';
import { IvfReader } from './ivf.ts';
import { TICKS_PER_SECOND, unpackTicks } from './keyframe-grid.ts';
import { MpegTsReader } from './mpegts.ts';
import { OggOpusReader } from './ogg.ts';

/** How far media that is not kept in a file is encoded ahead: about 9 MB at the full rate of all levels. */
const AHEAD_TICKS = 12 * TICKS_PER_SECOND;
/** Frames that wait for a slow disk, in bytes, before ffmpeg is made to wait. */
const MAX_UNWRITTEN = 16 * 1024 * 1024;

/** The input turned out to be one picture although it did not look like a still image. */
export class SinglePictureError extends Error {}

/** One ffmpeg at work on one input, and the media that grows from it. */
export class Encoding {
  readonly media: EncodedMedia;
  /** Settles when everything has been encoded and written, or with the failure. */
  readonly done: Promise<void>;
  readonly #name: string;
  readonly #process: FfmpegProcess;
  readonly #file: RunFile | undefined;
  readonly #request: EncodeRequest;
  readonly #open = new Map<number, Run>();
  readonly #levels: number[] = [];
  readonly #packets: Buffer[] = [];
  #writes: Promise<void>[] = [];
  #unwritten = 0;
  #releasedTicks = 0;
  #paused = false;
  #announced = false;
  #closed = false;

  /** `name` is what errors call the input; without `file` frames stay in memory until they are released. */
  constructor(options: { ffmpeg: Ffmpeg; request: EncodeRequest; name: string; file?: RunFile }) {
    const { ffmpeg, request, name, file } = options;
    const { args, outputs } = encodeArguments(ffmpeg, request);
    this.#name = name;
    this.#request = request;
    this.#file = file;
    this.media = new EncodedMedia({
      ...(request.video && {
        video: {
          codec: request.video.codec,
          layers: request.video.layers,
          frameRate: request.video.frameRate,
        },
      }),
      ...(request.audio && { audio: { codec: 'opus' as const, channels: request.audio.channels } }),
      still: request.video?.still ?? false,
      ...(file && { file }),
    });
    this.#process = new FfmpegProcess({ path: ffmpeg.path, args, outputs: outputs.length });
    outputs.forEach((output, index) => {
      this.#read(this.#process.outputs[index]!, output, index);
    });
    this.done = this.#finish();
    // Whoever plays the media hears of a failure from it.
    this.done.catch(() => {});
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Says that nothing before this time is needed any more, so that encoding may go on. */
  release(ticks: number): void {
    this.#releasedTicks = Math.max(this.#releasedTicks, ticks);
    this.media.release(ticks);
    this.#throttle();
  }

  /** Ends ffmpeg. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#process.close();
    await Promise.allSettled([this.done, ...this.#writes]);
  }

  #read(pipe: Readable, output: EncodeOutput, index: number): void {
    const reader = this.#reader(output, index);
    pipe.on('data', (chunk: Buffer) => {
      reader.push(chunk);
      this.#announce();
    });
    pipe.on('end', () => reader.end());
  }

  #reader(output: EncodeOutput, index: number): { push(chunk: Buffer): void; end(): void } {
    if (output.type === 'opus') {
      return new OggOpusReader((packet) => {
        this.#packets.push(packet);
        this.#pairAudio();
      });
    }
    if (output.type === 'pcm') {
      return new AudioLevelReader((AUDIO_RATE / 50) * output.channels, (level) => {
        this.#levels.push(level);
        this.#pairAudio();
      });
    }
    const { layer, level, codec } = output;
    const { container, isKeyFrame } = CODECS[codec];
    const Reader = container === 'ivf' ? IvfReader : MpegTsReader;
    return new Reader((packed, data) => {
      const ticks = unpackTicks(level, packed);
      if (ticks === undefined) return;
      let run = this.#open.get(index);
      if (isKeyFrame(data) || !run) {
        if (run) this.#closeRun(run);
        run = { level, startTicks: ticks, sizes: [], frames: [], closed: false };
        this.#open.set(index, run);
        this.media.addRun(layer, run);
      }
      run.sizes.push(data.length);
      run.frames?.push(data);
      if (layer === 0 && level === 0) this.media.pictures.push(ticks);
    });
  }

  #pairAudio(): void {
    while (this.#packets.length > 0 && this.#levels.length > 0) {
      this.#addPacket(this.#packets.shift()!, this.#levels.shift()!);
    }
  }

  #addPacket(packet: Buffer, level: number): void {
    const { media } = this;
    let run = media.audioRuns.at(-1);
    if (!run || run.closed) {
      run = {
        level: 0,
        startTicks: media.audioPackets * AUDIO_FRAME_TICKS,
        sizes: [],
        audioLevels: [],
        frames: [],
        closed: false,
      };
      media.audioRuns.push(run);
    }
    run.sizes.push(packet.length);
    run.audioLevels?.push(level);
    run.frames?.push(packet);
    media.audioPackets += 1;
    if (run.sizes.length === AUDIO_RUN_PACKETS) this.#closeRun(run);
  }

  #closeRun(run: Run): void {
    if (run.closed) return;
    run.closed = true;
    const { frames } = run;
    if (!this.#file || !frames) return;
    const bytes = run.sizes.reduce((sum, size) => sum + size, 0);
    this.#unwritten += bytes;
    const write = this.#file.append(frames).then(
      (offset) => {
        run.offset = offset;
        run.frames = undefined;
        this.#unwritten -= bytes;
        this.#throttle();
      },
      (error: unknown) => {
        this.#fail(MeetError.from(error));
        void this.#process.close();
      },
    );
    this.#writes.push(write);
    void write.finally(() => {
      this.#writes = this.#writes.filter((other) => other !== write);
    });
  }

  /** Stops and starts reading all pipes together: ffmpeg waits in its writes. */
  #throttle(): void {
    const ahead = this.#file ? 0 : this.media.availableTicks - this.#releasedTicks;
    const pause = this.#unwritten > MAX_UNWRITTEN || ahead > AHEAD_TICKS;
    if (pause === this.#paused || this.#closed) return;
    this.#paused = pause;
    for (const pipe of this.#process.outputs) {
      if (pause) pipe.pause();
      else pipe.resume();
    }
  }

  /** Tells listeners once for all that came in one turn of the event loop. */
  #announce(): void {
    if (this.#announced) return;
    this.#announced = true;
    setImmediate(() => {
      this.#announced = false;
      this.#throttle();
      if (!this.#closed && !this.media.failure) this.media.emit('grown');
    });
  }

  async #finish(): Promise<void> {
    const exit = await this.#process.exit;
    if (this.media.failure) throw this.media.failure;
    const failure = this.#closed
      ? new Error('The encoding was closed')
      : (exitFailure(exit, `encoding ${this.#name}`) ?? this.#contentFailure());
    if (failure) {
      this.#fail(failure);
      throw failure;
    }
    for (const packet of this.#packets.splice(0)) this.#addPacket(packet, SILENT_LEVEL);
    for (const run of [...this.#open.values(), ...this.media.audioRuns]) this.#closeRun(run);
    this.media.complete = true;
    this.media.emit('grown');
    this.media.emit('complete');
    await Promise.all(this.#writes);
    if (this.media.failure) throw this.media.failure;
  }

  /** What is wrong with an output of an ffmpeg that ended well. */
  #contentFailure(): Error | undefined {
    const { video, audio } = this.#request;
    const { pictures, audioPackets } = this.media;
    if (video && !video.still && pictures.length === 1) return new SinglePictureError();
    const missing = [
      ...(video && pictures.length === 0 ? ['picture'] : []),
      ...(audio && audioPackets + this.#packets.length === 0 ? ['sound'] : []),
    ];
    if (missing.length === 0) return undefined;
    return new MeetError(
      'media-unusable',
      `The ${missing.join(' and the ')} of ${this.#name} cannot be decoded.`,
      {
        hint: 'The file is probably truncated or damaged; make it again.',
      },
    );
  }

  #fail(error: Error): void {
    if (this.media.failure) return;
    this.media.failure = error;
    if (!this.#closed) this.media.emit('failed', error);
  }
}

/** One ffmpeg that encodes: what is written to it, and the packets that come back. */
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { type FfmpegExit, FfmpegProcess } from '../../media/ffmpeg/process.ts';
import { Mp4StreamReader } from './mp4/read.ts';
import { picturePrefix, rawHeader, soundPrefix } from './raw-input.ts';
import { type EncodeSettings, encodeArguments, type VideoEncoding } from './settings.ts';
import {
  audioPackets,
  type CodedPicture,
  type CodedSound,
  SOUND_CHANNELS,
  type StreamHeader,
  type StreamPacket,
} from './types.ts';
import { WebmStreamReader } from './webm/read.ts';

/** Bytes of a sample of both channels. */
const SAMPLE_BYTES = 2 * SOUND_CHANNELS;

export interface RunOptions {
  readonly ffmpeg: Ffmpeg;
  readonly settings: EncodeSettings;
  readonly video: VideoEncoding | undefined;
  /** Numbers in the output of the first picture and the first sample that will be written. */
  readonly firstPicture: number;
  readonly firstSample: number;
  readonly onHeader: (header: StreamHeader) => void;
  readonly onPicture: (picture: CodedPicture) => void;
  readonly onSound: (sound: CodedSound) => void;
}

export class EncoderRun {
  readonly video: VideoEncoding | undefined;
  readonly firstPicture: number;
  /** The sample after the last that was written. */
  writtenSample: number;
  /** Settles when ffmpeg has gone and everything has been read; never rejects. */
  readonly exit: Promise<FfmpegExit>;
  readonly #options: RunOptions;
  readonly #process: FfmpegProcess;
  #pictures = 0;
  #sounds = 0;
  #writing = 0;
  #ended = false;

  constructor(options: RunOptions) {
    const { ffmpeg, settings, video, firstPicture, firstSample } = options;
    this.#options = options;
    this.video = video;
    this.firstPicture = firstPicture;
    this.writtenSample = firstSample;
    this.#process = new FfmpegProcess({
      path: ffmpeg.path,
      args: encodeArguments(ffmpeg, settings, video, firstPicture),
      outputs: 1,
      input: true,
    });
    this.exit = this.#process.exit;
    this.#read();
    this.#process.input?.write(rawHeader(settings));
  }

  /** Process id while ffmpeg runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** The last picture has not left our memory yet. */
  get busy(): boolean {
    return this.#writing > 0;
  }

  /** Bytes that ffmpeg has not taken yet. */
  get waitingBytes(): number {
    return this.#process.input?.writableLength ?? 0;
  }

  /** Pictures that came back. */
  get encodedPictures(): number {
    return this.#pictures;
  }

  /** Writes a picture without copying it: its memory is ffmpeg's until `busy` is false again. */
  writePicture(picture: number, i420: Uint8Array): void {
    const { input } = this.#process;
    const fps = this.#options.settings.video?.fps;
    if (this.#ended || !input?.writable || fps === undefined) return;
    this.#writing += 1;
    input.cork();
    input.write(picturePrefix(picture - this.firstPicture, fps, i420.length));
    input.write(i420, () => {
      this.#writing -= 1;
    });
    input.uncork();
  }

  /** Writes sound that follows on what was written before; the samples must not be changed. */
  writeSound(pcm: Int16Array): void {
    const { input } = this.#process;
    if (this.#ended || !input?.writable || pcm.length === 0) return;
    const bytes = Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    input.cork();
    input.write(soundPrefix(this.writtenSample - this.#options.firstSample, bytes.length));
    input.write(bytes);
    input.uncork();
    this.writtenSample += bytes.length / SAMPLE_BYTES;
  }

  /** Lets ffmpeg finish what it has. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#process.input?.end();
  }

  /** Ends ffmpeg at once. */
  close(): Promise<void> {
    this.#ended = true;
    return this.#process.close();
  }

  #read(): void {
    const { settings, onHeader } = this.#options;
    const onPacket = (packet: StreamPacket) => this.#packet(packet);
    const reader =
      settings.format === 'webm'
        ? new WebmStreamReader({ onHeader, onPacket })
        : new Mp4StreamReader({ fps: settings.video?.fps ?? 0, onHeader, onPacket });
    this.#process.outputs[0]?.on('data', (chunk: Buffer) => {
      try {
        reader.push(chunk);
      } catch {
        // Output that makes no sense is the same as none: another ffmpeg takes over.
        void this.close();
      }
    });
  }

  #packet({ track, data, keyframe, showOffset }: StreamPacket): void {
    const { firstSample, firstPicture, settings, onPicture, onSound } = this.#options;
    if (track === 'video') {
      const decode = firstPicture + this.#pictures;
      this.#pictures += 1;
      onPicture({ data, keyframe, decode, show: decode + showOffset });
    } else {
      const { samples, priming } = audioPackets(settings.format);
      const at = firstSample + (this.#sounds - priming) * samples;
      this.#sounds += 1;
      onSound({ data, at });
    }
  }
}

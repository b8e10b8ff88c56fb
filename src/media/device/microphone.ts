import { MeetError } from '../../protocol/errors.ts';
import { AUDIO_RATE, opusArguments } from '../encode/arguments.ts';
import { AudioLevelReader } from '../encode/audio-level.ts';
import { OggOpusReader } from '../encode/ogg.ts';
import { findFfmpeg } from '../ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../ffmpeg/process.ts';
import type { AudioDescription, EncodedSource, SourceSink } from '../types.ts';

/** What ffmpeg calls the sound devices of each system, and the one that the user has chosen there. */
const SYSTEMS: Partial<Record<NodeJS.Platform, { readonly format: string; readonly device: string }>> = {
  darwin: { format: 'avfoundation', device: ':default' },
  win32: { format: 'dshow', device: 'audio=default' },
};
const ALSA = { format: 'alsa', device: 'default' };
const CHANNELS = 1;
const FRAME_US = 20_000;

export interface MicrophoneOptions {
  /** As ffmpeg names it, such as `hw:1`; the system's default when absent. */
  readonly device?: string;
  readonly ffmpegPath?: string;
}

/** Sound of a device, encoded as it comes. */
export class Microphone implements EncodedSource {
  readonly audio: AudioDescription = { codec: 'opus', channels: CHANNELS };
  readonly #process: FfmpegProcess;
  readonly #packets: Buffer[] = [];
  readonly #levels: number[] = [];
  #sink: SourceSink | undefined;
  #sent = 0;
  #failure: Error | undefined;
  #closed = false;

  private constructor(ffmpeg: FfmpegProcess) {
    this.#process = ffmpeg;
    const [opus, pcm] = ffmpeg.outputs;
    const packets = new OggOpusReader((packet) => {
      this.#packets.push(packet);
      this.#give();
    });
    const levels = new AudioLevelReader((AUDIO_RATE / 50) * CHANNELS, (level) => {
      this.#levels.push(level);
      this.#give();
    });
    opus!.on('data', (data: Buffer) => packets.push(data));
    pcm!.on('data', (data: Buffer) => levels.push(data));
    void ffmpeg.exit.then((exit) => {
      if (this.#closed) return;
      const failure = exitFailure(exit, 'reading the microphone');
      this.#failure = failure ?? new MeetError('device-unusable', 'The microphone has stopped.');
      this.#sink?.failed(this.#failure);
    });
  }

  /**
   * Opens the device; resolves when the first sound has come.
   *
   * @throws MeetError `device-unusable` when there is no such device, `ffmpeg-missing`
   */
  static async open({ device, ffmpegPath }: MicrophoneOptions = {}): Promise<Microphone> {
    const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
    const system = SYSTEMS[process.platform] ?? ALSA;
    const input = ['-f', system.format, '-i', device ?? system.device];
    const graph =
      `[0:a]aresample=${AUDIO_RATE}:async=1:first_pts=0,aformat=sample_fmts=s16:channel_layouts=mono,` +
      'asplit=2[pcm][opus]';
    const child = new FfmpegProcess({
      path: ffmpeg.path,
      outputs: 2,
      args: [
        ...['-v', 'error', '-fflags', 'nobuffer', ...input, '-filter_complex', graph],
        ...['-map', '[opus]', ...opusArguments(ffmpeg, CHANNELS), '-flush_packets', '1', 'pipe:3'],
        ...['-map', '[pcm]', '-c:a', 'pcm_s16le', '-f', 's16le', '-flush_packets', '1', 'pipe:4'],
      ],
    });
    const microphone = new Microphone(child);
    const exit = await Promise.race([
      child.exit,
      new Promise<undefined>((resolve) => child.outputs[0]!.once('data', () => resolve(undefined))),
    ]);
    if (exit === undefined) return microphone;
    const name = device ?? 'The default microphone';
    const cause = exitFailure(exit, `opening ${name}`);
    throw new MeetError('device-unusable', `${name} cannot be opened.`, {
      ...(cause === undefined ? {} : { cause, hint: cause.message }),
    });
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  start(sink: SourceSink): void {
    this.#sink = sink;
    if (this.#failure) sink.failed(this.#failure);
  }

  requestKeyFrame(): void {}

  setLayerActive(): void {}

  #give(): void {
    while (this.#packets.length > 0 && this.#levels.length > 0) {
      const data = this.#packets.shift()!;
      const audioLevel = this.#levels.shift()!;
      const timestampUs = this.#sent * FRAME_US;
      this.#sent += 1;
      // What was said before anybody could hear it is over.
      this.#sink?.frame({
        kind: 'audio',
        layer: 0,
        data,
        keyframe: true,
        timestampUs,
        durationUs: FRAME_US,
        audioLevel,
      });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sink = undefined;
    await this.#process.close();
  }
}

import { captureAbilities } from '../capture/abilities.ts';
import { type DeviceName, type SoundFormat, soundDevice, soundInput } from '../capture/arguments.ts';
import { deviceError } from '../capture/input-size.ts';
import { systemOf } from '../capture/system.ts';
import { AUDIO_RATE } from '../encode/arguments.ts';
import { type Ffmpeg, findFfmpeg } from '../ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../ffmpeg/process.ts';
import { OpusLiveEncoder } from '../opus/index.ts';
import type { AudioDescription, EncodedSource, SourceSink } from '../types.ts';
import { whenBack } from './return.ts';
import { hasSoundServer } from './sound-server.ts';

const FRAME_US = 20_000;
/** How far a device's clock may get from that of the wall before its times are set right. */
const MAX_BEHIND_US = 200_000;
const MAX_AHEAD_US = 2_000_000;

/** Takes off what a fan or a room adds: rumble below speech, then steady noise that is followed as it changes. */
const DENOISE = 'highpass=f=80,afftdn=nr=12:nf=-40:tn=1';

export interface MicrophoneOptions {
  /** `pulse:NAME`, `alsa:hw:1`, or a name of the system's own kind; the system's default when absent. */
  readonly device?: string | DeviceName<SoundFormat>;
  /** `denoise`, or filters of ffmpeg's. */
  readonly filter?: string;
  /** Two for the sound of a machine; one, the default, for speech. */
  readonly channels?: 1 | 2;
  readonly ffmpegPath?: string;
}

/** Sound of a device, encoded as it comes. A device that is unplugged is waited for. */
export class Microphone implements EncodedSource {
  readonly audio: AudioDescription;
  readonly #start: () => FfmpegProcess;
  readonly #name: string;
  readonly #encoder: OpusLiveEncoder;
  readonly #closing = new AbortController();
  #process: FfmpegProcess;
  #sink: SourceSink | undefined;
  #available = true;
  /** Time of the next packet on the source's clock. */
  #nextUs = 0;
  readonly #openedMs = performance.now();

  private constructor(
    start: () => FfmpegProcess,
    name: string,
    process: FfmpegProcess,
    encoder: OpusLiveEncoder,
    channels: 1 | 2,
  ) {
    this.#start = start;
    this.#name = name;
    this.#process = process;
    this.#encoder = encoder;
    this.audio = { codec: 'opus', channels };
    this.#read(process);
  }

  /**
   * Opens the device; resolves when the first sound has come.
   *
   * @throws MeetError `device-unusable` when there is no such device, or it is in use, `ffmpeg-missing`
   */
  static async open({
    device,
    filter,
    channels = 1,
    ffmpegPath,
  }: MicrophoneOptions = {}): Promise<Microphone> {
    const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
    const abilities = await captureAbilities(ffmpeg);
    const named =
      typeof device === 'object'
        ? device
        : soundDevice(systemOf(process.platform), abilities.devices.has('pulse') && hasSoundServer(), device);
    const { args } = soundInput(named, abilities);
    const start = () => capturing(ffmpeg, args, channels, filter);
    const name =
      typeof device === 'string' ? device : device === undefined ? 'The default microphone' : device.name;
    const child = start();
    await firstSound(child, name);
    return new Microphone(
      start,
      name,
      child,
      await OpusLiveEncoder.create(channels, channels === 2),
      channels,
    );
  }

  get clockOffsetMs(): number {
    return performance.timeOrigin + this.#openedMs;
  }

  /** Process id of ffmpeg while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  start(sink: SourceSink): void {
    this.#sink = sink;
    if (!this.#available) sink.available?.('audio', false);
  }

  requestKeyFrame(): void {}

  setLayerActive(): void {}

  setAudioLoss(percent: number): void {
    this.#encoder.setLoss(percent);
  }

  #read(child: FfmpegProcess): void {
    child.outputs[0]!.on('data', (data: Buffer) => {
      for (const { data: packet, level } of this.#encoder.encode(data)) this.#give(packet, level);
    });
    void child.exit.then(() => this.#lost());
  }

  /** What was said before anybody could hear it is over. */
  #give(data: Buffer, audioLevel: number): void {
    const now = Math.round((performance.now() - this.#openedMs) * 1_000);
    if (now - this.#nextUs > MAX_BEHIND_US || this.#nextUs - now > MAX_AHEAD_US) this.#nextUs = now;
    const timestampUs = this.#nextUs;
    this.#nextUs += FRAME_US;
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

  async #lost(): Promise<void> {
    const { signal } = this.#closing;
    if (signal.aborted) return;
    this.#setAvailable(false);
    const child = await whenBack(async () => {
      const next = this.#start();
      await firstSound(next, this.#name);
      return next;
    }, signal);
    if (child === undefined) return;
    if (signal.aborted) {
      await child.close();
      return;
    }
    this.#process = child;
    this.#encoder.restart();
    this.#read(child);
    this.#setAvailable(true);
  }

  #setAvailable(available: boolean): void {
    this.#available = available;
    this.#sink?.available?.('audio', available);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#sink = undefined;
    await this.#process.close();
    this.#encoder.close();
  }
}

function capturing(
  ffmpeg: Ffmpeg,
  input: readonly string[],
  channels: 1 | 2,
  filter: string | undefined,
): FfmpegProcess {
  const extra = filter === undefined ? [] : [filter === 'denoise' ? DENOISE : filter];
  const layout = channels === 1 ? 'mono' : 'stereo';
  const chain = [
    `aresample=${AUDIO_RATE}:async=1:first_pts=0`,
    ...extra,
    `aformat=sample_fmts=s16:sample_rates=${AUDIO_RATE}:channel_layouts=${layout}`,
  ];
  return new FfmpegProcess({
    path: ffmpeg.path,
    outputs: 1,
    args: [
      ...['-v', 'error', '-fflags', 'nobuffer', ...input, '-vn', '-af', chain.join(',')],
      ...['-c:a', 'pcm_s16le', '-f', 's16le', '-flush_packets', '1', 'pipe:3'],
    ],
  });
}

/** @throws MeetError `device-unusable` */
async function firstSound(child: FfmpegProcess, name: string): Promise<void> {
  const [output] = child.outputs;
  const exit = await Promise.race([
    child.exit,
    new Promise<undefined>((resolve) => output!.once('readable', () => resolve(undefined))),
  ]);
  // A pipe that has ended is readable, too.
  if (exit === undefined && output!.readableLength > 0) return;
  const ended = exit ?? (await child.exit);
  throw deviceError(name, ended.stderr, exitFailure(ended, `opening ${name}`));
}

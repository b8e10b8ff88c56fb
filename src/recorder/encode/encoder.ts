import { EventEmitter } from 'node:events';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { exitFailure } from '../../media/ffmpeg/process.ts';
import { MeetError } from '../../protocol/errors.ts';
import { Fragmenter, type FragmentPosition } from './fragmenter.ts';
import { mp4Writer } from './mp4/write.ts';
import { Pace } from './pace.ts';
import { inBandParameterSets } from './parameter-sets.ts';
import { EncoderRun } from './run.ts';
import type { EncodeSettings, VideoEncoding } from './settings.ts';
import { SoundHistory } from './sound-history.ts';
import {
  type AudioPackets,
  audioPackets,
  type CodedPicture,
  type CodedSound,
  type Fragment,
  type FragmentWriter,
  SOUND_RATE,
  type StreamHeader,
} from './types.ts';
import { webmWriter } from './webm/write.ts';

/** Without a new picture for so long ffmpeg would have nothing to repeat, and the fragment would wait for it. */
const STALE_SECONDS = 0.25;
/** An ffmpeg that gives nothing back for so long while it is fed is ended. */
const HUNG_MS = 2_000;
/** One that has given something back within this time is slow, not hung. */
const ALIVE_MS = 1_000;
/** How far ahead another step takes over: ffmpeg has started by then. */
const TAKE_OVER_SECONDS = 1;
/** Failures in a row after which the next way to encode is taken, and after which there is none. */
const FAILURES_OF_ONE = 3;
const RETRY_MS = [0, 100, 500, 1_000, 2_000, 5_000];
/** An ffmpeg that has worked for so long has not failed for what it was told. */
const SOUND_MS = 5_000;
const FINISH_MS = 15_000;
/** Sound that a run gets after its last picture: its last two packets are padding, and the next one's lie on a grid. */
const SPARE_PACKETS = 4;

/** A recording that is taken up again. */
export interface EncoderResume extends FragmentPosition {
  /** What ffmpeg had written before the first fragment: a decoder's parameters. */
  readonly header: StreamHeader;
}

export interface EncoderOptions {
  readonly ffmpeg: Ffmpeg;
  readonly settings: EncodeSettings;
  /** Ways to encode the pictures, the best that works first; see `chooseEncodings`. Empty for sound alone. */
  readonly encodings: readonly VideoEncoding[];
  readonly resume?: EncoderResume | undefined;
}

export interface EncoderEvents {
  init: [bytes: Buffer];
  fragment: [fragment: Fragment];
  /** ffmpeg died or hung, and another has taken its place. */
  restarted: [event: { readonly error: MeetError; readonly encoding: VideoEncoding | undefined }];
  /** The machine does not keep up: the next step encodes from now on. `to` is absent on the last. */
  slow: [event: { readonly from: VideoEncoding; readonly to: VideoEncoding | undefined }];
  /** Nothing can be encoded any more. */
  failed: [error: MeetError];
}

/** A run, and what it gave before its turn. */
interface Entry {
  readonly run: EncoderRun;
  readonly waiting: (() => void)[];
  /** The first sample that sounds as it should without the packets of another run before it. */
  readonly firstSound: number;
  /** Parameters that stand before its keyframes, where they are not those of the file. */
  inBand: Buffer | undefined;
  /** Another follows at this picture. */
  endsAt: number | undefined;
}

/**
 * Encodes pictures and sound into fragments. Pictures come at a constant rate; each call of `picture` is one, and
 * `sound` takes the samples of as much time: the output's time is what was given and nothing else, so a pause is no
 * call. It never makes the caller wait: pictures that ffmpeg cannot take are left out (the one before is shown longer),
 * sound never is.
 */
export class Encoder extends EventEmitter<EncoderEvents> {
  readonly #options: EncoderOptions;
  readonly #audio: AudioPackets;
  readonly #fps: number | undefined;
  readonly #writer: FragmentWriter;
  readonly #fragmenter: Fragmenter;
  readonly #history: SoundHistory;
  readonly #pace: Pace;
  readonly #baseSample: number;
  /** The run whose packets are written, and the one that follows. */
  #runs: Entry[] = [];
  #header: StreamHeader | undefined;
  #rung = 0;
  #failures = 0;
  #nextPicture: number;
  #sincePicture = Number.POSITIVE_INFINITY;
  #leftOut = 0;
  #fedAt = 0;
  #progressAt = 0;
  #startedAt = 0;
  #retry: NodeJS.Timeout | undefined;
  #finishing = false;
  #closed = false;

  constructor(options: EncoderOptions) {
    super();
    const { settings, resume } = options;
    const { video, format } = settings;
    this.#options = options;
    this.#audio = audioPackets(format);
    this.#fps = video?.fps;
    this.#writer =
      format === 'webm' && video ? webmWriter(settings.webmCodec ?? 'vp8', video) : mp4Writer(video?.fps);
    this.#header = resume?.header;
    const position = resume ?? { sequence: 1, second: 0 };
    this.#baseSample = position.second * SOUND_RATE;
    this.#nextPicture = position.second * (video?.fps ?? 0);
    this.#history = new SoundHistory(this.#baseSample);
    this.#pace = new Pace(video?.fps ?? 1);
    this.#pace.reset();
    this.#fragmenter = new Fragmenter({
      writer: this.#writer,
      audio: this.#audio,
      fps: video?.fps,
      position,
      onFragment: (fragment) => this.emit('fragment', fragment),
    });
    this.#start(this.#baseSample);
  }

  /** Process ids of the ffmpegs that run: two while one step takes over from another. */
  get pids(): number[] {
    return this.#runs.flatMap(({ run }) => run.pid ?? []);
  }

  /** How pictures are encoded now; `undefined` for sound alone. */
  get encoding(): VideoEncoding | undefined {
    return this.#options.encodings[this.#rung];
  }

  /** Pictures that ffmpeg could not take in time. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** The memory of the last picture is still being read: drawing into it now would tear the picture. */
  get busy(): boolean {
    return this.#runs.some(({ run }) => run.busy);
  }

  /** The picture has to be given even if it has not changed. */
  get stale(): boolean {
    return this.#fps !== undefined && this.#sincePicture >= this.#fps * STALE_SECONDS;
  }

  /** Output time up to which pictures, or without them sound, were given, milliseconds. */
  get outputMs(): number {
    return this.#fps === undefined
      ? (this.#history.end * 1000) / SOUND_RATE
      : (this.#nextPicture * 1000) / this.#fps;
  }

  /**
   * Takes the next picture, I420 without padding; `undefined` for one like the last. The memory must stay as it is
   * while `busy`. Answers whether it was taken: one that was not is shown as the last.
   */
  picture(i420: Uint8Array | undefined): boolean {
    const number = this.#nextPicture;
    this.#nextPicture += 1;
    this.#sincePicture += 1;
    this.#handOver();
    if (i420 === undefined) return true;
    const target = this.#runs.findLast(({ run }) => run.firstPicture <= number);
    const taken = target !== undefined && !this.busy;
    if (taken) {
      target.run.writePicture(number, i420);
      this.#sincePicture = 0;
    } else this.#leftOut += 1;
    if (this.#runs.length === 1 && this.#pace.count(taken)) this.#stepDown();
    return taken;
  }

  /** Takes sound that follows on the last: interleaved stereo at 48 kHz. It must not be changed afterwards. */
  sound(pcm: Int16Array): void {
    if (this.#closed) return;
    this.#history.push(pcm);
    for (const { run } of this.#runs) this.#feedSound(run);
    this.#handOver();
    this.#watch();
  }

  /** Encodes what was given to its end. Settles when the last fragment is out. */
  async finish(): Promise<void> {
    if (this.#closed) return;
    this.#finishing = true;
    clearTimeout(this.#retry);
    const timer = setTimeout(() => void this.close(), FINISH_MS);
    for (const { run } of this.#runs) run.end();
    while (this.#runs.length > 0) await this.#runs[0]!.run.exit;
    clearTimeout(timer);
    this.#fragmenter.finish();
    this.#closed = true;
  }

  /** Ends ffmpeg at once; what it has is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    await Promise.all(this.#runs.map(({ run }) => run.close()));
  }

  #start(firstSample: number, firstPicture = this.#nextPicture): Entry {
    const waiting: (() => void)[] = [];
    const inTurn = (act: () => void) => {
      if (this.#runs[0] === entry) act();
      else waiting.push(act);
    };
    const run = new EncoderRun({
      ffmpeg: this.#options.ffmpeg,
      settings: this.#options.settings,
      video: this.encoding,
      firstPicture,
      firstSample,
      onHeader: (header) => this.#takeHeader(entry, header),
      onPicture: (picture) => inTurn(() => this.#takePicture(entry, picture)),
      onSound: (sound) => inTurn(() => this.#takeSound(entry, sound)),
    });
    const entry: Entry = {
      run,
      waiting,
      firstSound: firstSample + this.#audio.preroll * this.#audio.samples,
      inBand: undefined,
      endsAt: undefined,
    };
    this.#runs.push(entry);
    this.#startedAt = performance.now();
    this.#progressAt = this.#startedAt;
    this.#feedSound(run);
    void run.exit.then((exit) => {
      const error =
        exitFailure(exit, 'encoding the recording') ??
        new MeetError('ffmpeg-failed', 'ffmpeg stopped encoding the recording.');
      this.#gone(entry, error);
    });
    return entry;
  }

  #takeHeader(entry: Entry, header: StreamHeader): void {
    if (this.#header === undefined) {
      this.#header = header;
      this.emit('init', this.#writer.init(header));
      return;
    }
    const { video, audio } = this.#header;
    if (!audio.equals(header.audio)) throw new Error('The parameters of the sound have changed');
    if (video !== undefined && header.video !== undefined && !video.equals(header.video)) {
      entry.inBand = inBandParameterSets(header.video);
    }
  }

  #takePicture(entry: Entry, picture: CodedPicture): void {
    this.#progress();
    const { inBand } = entry;
    this.#fragmenter.picture(
      inBand && picture.keyframe ? { ...picture, data: Buffer.concat([inBand, picture.data]) } : picture,
    );
  }

  #takeSound(entry: Entry, sound: CodedSound): void {
    this.#progress();
    const { samples, preroll } = this.#audio;
    // An encoder fills its last packet up; what lies wholly after the sound that was given is not ours.
    if (sound.at >= this.#history.end) return;
    // So it is where another run follows on, with the packet before that, which the padding shines into.
    if (entry.endsAt !== undefined && sound.at + 2 * samples > entry.run.writtenSample) return;
    this.#fragmenter.sound(sound);
    this.#history.release(this.#fragmenter.nextSample - (preroll + 1) * samples);
  }

  #progress(): void {
    this.#progressAt = performance.now();
    if (this.#progressAt - this.#startedAt > SOUND_MS) this.#failures = 0;
  }

  #feedSound(run: EncoderRun): void {
    for (const pcm of this.#history.from(run.writtenSample)) run.writeSound(pcm);
  }

  /** Lets the run that another follows on finish, when it has its last picture and the sound to that. */
  #handOver(): void {
    const [head] = this.#runs;
    if (head?.endsAt === undefined || this.#fps === undefined || this.#nextPicture <= head.endsAt) return;
    const sample = (head.endsAt * SOUND_RATE) / this.#fps + SPARE_PACKETS * this.#audio.samples;
    if (this.#history.end >= sample) head.run.end();
  }

  #stepDown(): void {
    const from = this.encoding;
    if (from === undefined || this.#fps === undefined) return;
    if (performance.now() - this.#progressAt > ALIVE_MS) return;
    this.#pace.reset();
    const to = this.#options.encodings[this.#rung + 1];
    this.emit('slow', { from, to });
    if (to === undefined) return;
    this.#rung += 1;
    const soon = this.#nextPicture + this.#fps * TAKE_OVER_SECONDS;
    const firstPicture = Math.ceil(soon / this.#fps) * this.#fps;
    const { samples, preroll } = this.#audio;
    const firstSample = (firstPicture / this.#fps) * SOUND_RATE - preroll * samples;
    this.#runs[0]!.endsAt = firstPicture;
    this.#start(this.#onGrid(firstSample), firstPicture);
  }

  #gone(entry: Entry, error: MeetError): void {
    const wasHead = this.#runs[0] === entry;
    const planned = entry.endsAt !== undefined && this.#nextPicture > entry.endsAt;
    this.#runs = this.#runs.filter((other) => other !== entry);
    const [next] = this.#runs;
    // The one that follows begins later than this one ended where this one died with sound that it had.
    const seamless = next !== undefined && next.firstSound <= this.#fragmenter.nextSample;
    if (this.#closed || this.#finishing || (wasHead && planned && seamless)) {
      for (const act of next?.waiting.splice(0) ?? []) act();
      return;
    }
    const rest = this.#runs;
    if (!wasHead) {
      // The one that was to take over is gone; the other goes on.
      for (const other of rest) other.endsAt = undefined;
      return;
    }
    this.#runs = [];
    for (const { run } of rest) void run.close();
    this.#restart(error);
  }

  #restart(error: MeetError): void {
    this.#failures += 1;
    if (this.#failures % FAILURES_OF_ONE === 0 && this.#rung + 1 < this.#options.encodings.length)
      this.#rung += 1;
    if (this.#failures >= FAILURES_OF_ONE * (this.#options.encodings.length + 1)) {
      this.#closed = true;
      this.emit('failed', error);
      return;
    }
    const waitMs = RETRY_MS[Math.min(this.#failures, RETRY_MS.length) - 1]!;
    const start = () => {
      const { samples, preroll } = this.#audio;
      this.#pace.reset();
      this.#start(
        this.#onGrid(Math.max(this.#fragmenter.nextSample - preroll * samples, this.#history.start)),
      );
      this.emit('restarted', { error, encoding: this.encoding });
    };
    this.#retry = setTimeout(start, waitMs);
  }

  /** The first sample of a packet at or after this one; packets of all runs lie on one grid. */
  #onGrid(sample: number): number {
    const { samples } = this.#audio;
    const packets = Math.ceil((sample - this.#baseSample) / samples);
    return this.#baseSample + Math.max(0, packets) * samples;
  }

  /** Ends an ffmpeg that is fed and gives nothing back. */
  #watch(): void {
    const now = performance.now();
    // What was paused begins anew.
    if (now - this.#fedAt > HUNG_MS / 2) this.#progressAt = now;
    this.#fedAt = now;
    if (now - this.#progressAt < HUNG_MS || this.#runs.length === 0) return;
    this.#progressAt = now;
    void this.#runs[0]!.run.close();
  }
}

/** The picture and sound of a meeting, made while it lasts. */
import { EventEmitter } from 'node:events';
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { ReceivedFrame } from '../../client/types.ts';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import type { MeetError } from '../../protocol/errors.ts';
import { Encoder, type EncoderEvents, type EncoderResume, type Sink } from '../encode/index.ts';
import type { EncodeSettings, VideoEncoding } from '../encode/settings.ts';
import { SOUND_RATE } from '../encode/types.ts';
import type { RecorderSession } from '../session/session.ts';
import { Mixer } from '../sound/index.ts';
import { PictureMaker } from './picture-maker.ts';
import { SceneKeeper } from './scene-keeper.ts';
import { SoundInput } from './sound-input.ts';
import { Speech } from './speech.ts';
import { Timeline } from './timeline.ts';
import { wantedVideos } from './wanted-videos.ts';

/**
 * What is shown has happened so long ago: time for packets to come again that were lost, and for decoders. Picture and
 * sound are late by the same.
 */
const DELAY_MS = 400;
/** Sound alone is mixed in pieces of this rate. */
const SOUND_PIECES = 25;
/** While nothing is made, in a pause, decoders are kept going so often. */
const IDLE_INTERVAL_MS = 50;
/** Pictures of a machine that was asleep are made up for in so many at a time. */
const MAX_AT_ONCE = 60;

export interface LiveRecordingOptions {
  readonly session: RecorderSession;
  readonly ffmpeg: Ffmpeg;
  readonly settings: EncodeSettings;
  /** Ways to encode the pictures, the best first; none for sound alone. */
  readonly encodings: readonly VideoEncoding[];
  readonly clock: boolean;
  readonly sinks: readonly Sink[];
  /** Where the file goes on that a recorder left which died. */
  readonly resume?: EncoderResume | undefined;
}

interface LiveRecordingEvents {
  restarted: EncoderEvents['restarted'];
  slow: EncoderEvents['slow'];
  /** Nothing can be encoded any more; the tracks are recorded on. */
  failed: EncoderEvents['failed'];
  'decoder-failed': [error: MeetError];
}

/**
 * Makes one picture after the other at a constant rate, and the sound of as much time, by the recorder's clock and never
 * by what comes: late, frozen and dead streams change nothing about it.
 */
export class LiveRecording extends EventEmitter<LiveRecordingEvents> {
  readonly #options: LiveRecordingOptions;
  readonly #mixer = new Mixer();
  readonly #speech = new Speech();
  readonly #scenes: SceneKeeper;
  readonly #pictures: PictureMaker | undefined;
  readonly #sounds = new Map<string, SoundInput>();
  readonly #fps: number;
  readonly #finished = Promise.withResolvers<void>();
  #encoder: Encoder | undefined;
  #timeline: Timeline | undefined;
  #timer: NodeJS.Timeout | undefined;
  #samples = 0;
  #lastDrawn: Uint8Array | undefined;
  #missed = false;
  #failed = false;
  #closed: Promise<void> | undefined;

  constructor(options: LiveRecordingOptions) {
    super();
    this.#options = options;
    const { session, settings, clock, ffmpeg } = options;
    const { video } = settings;
    this.#fps = video?.fps ?? SOUND_PIECES;
    if (video !== undefined) {
      this.#pictures = new PictureMaker({
        ...video,
        clock,
        ffmpeg: ffmpeg.path,
        onDecoderFailed: (error) => this.emit('decoder-failed', error),
      });
    }
    this.#scenes = new SceneKeeper(session, this.#speech, (scene) => {
      if (video !== undefined) session.client.setVideos(wantedVideos(scene, video));
    });
    session.on('frame', (track, frame, capturedAt) => this.#onFrame(track, frame, capturedAt));
    session.on('track-ended', (track) => this.#onTrackEnded(track));
    session.on('paused', (paused, at) => {
      if (paused) this.#timeline?.pause(at);
      else this.#timeline?.resume(at);
      this.#arm();
    });
    session.client.on('participant', ({ id, state }) => {
      if (state === 'left') this.#speech.gone(id);
    });
    if (session.startedAt === undefined) session.once('started', (startedAt) => this.#start(startedAt));
    else this.#start(session.startedAt);
  }

  /** Pictures that were shown longer because the machine did not keep up. */
  get leftOut(): number {
    return this.#encoder?.leftOut ?? 0;
  }

  /** Process ids of the ffmpegs that encode. */
  get encoderPids(): readonly number[] {
    return this.#encoder?.pids ?? [];
  }

  /** Finishes what was recorded until a wall time, and the sinks; resolves when that is done. Never rejects. */
  finish(at: number): Promise<void> {
    this.#closed ??= this.#finish(at);
    return this.#closed;
  }

  #start(startedAt: number): void {
    const { session, ffmpeg, settings, encodings, resume, sinks } = this.#options;
    const encoder = new Encoder({ ffmpeg, settings, encodings, ...(resume === undefined ? {} : { resume }) });
    this.#encoder = encoder;
    encoder.on('init', (bytes) => {
      for (const sink of sinks) sink.init(bytes);
    });
    encoder.on('fragment', (fragment) => {
      for (const sink of sinks) sink.fragment(fragment);
    });
    encoder.on('restarted', (event) => this.emit('restarted', event));
    encoder.on('slow', (event) => this.emit('slow', event));
    encoder.on('failed', (error) => {
      this.#failed = true;
      this.#finished.resolve();
      this.emit('failed', error);
    });
    const picture = (resume?.second ?? 0) * this.#fps;
    this.#samples = (resume?.second ?? 0) * SOUND_RATE;
    this.#timeline = new Timeline({
      startedAt,
      fps: this.#fps,
      pauses: session.folder.recording.pauses,
      picture,
    });
    this.#arm();
  }

  #onFrame(track: RemoteTrack, frame: ReceivedFrame, capturedAt: number): void {
    if (this.#closed !== undefined) return;
    if (track.kind === 'video') {
      this.#pictures?.write(track, frame, capturedAt);
      return;
    }
    if (frame.audioLevel !== undefined && track.source === 'microphone')
      this.#speech.heard(track.participantId, frame.audioLevel, capturedAt);
    const sound = this.#sounds.get(track.id) ?? new SoundInput(this.#mixer, track.source);
    this.#sounds.set(track.id, sound);
    sound.write(frame, capturedAt);
  }

  #onTrackEnded({ id }: RemoteTrack): void {
    // What was sent last is still to be seen and heard.
    setTimeout(() => {
      this.#pictures?.end(id);
      this.#sounds.get(id)?.close();
      this.#sounds.delete(id);
    }, 2 * DELAY_MS).unref();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    const next = this.#timeline?.next;
    if (this.#timeline?.over) this.#finished.resolve();
    if (this.#failed || this.#timeline === undefined || this.#timeline.over) return;
    const waitMs = next === undefined ? IDLE_INTERVAL_MS : next + DELAY_MS - this.#options.session.now();
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, waitMs));
  }

  #tick(): void {
    const timeline = this.#timeline!;
    const until = this.#options.session.now() - DELAY_MS;
    this.#pictures?.prepare(until);
    // In a pause what is seen goes on, and nothing of it is shown.
    if (timeline.next === undefined) this.#pictures?.update(until, this.#scenes.at(until));
    for (let count = 0; count < MAX_AT_ONCE && !this.#failed; count++) {
      const wall = timeline.next;
      if (wall === undefined || wall > until) break;
      timeline.advance();
      const next = timeline.next;
      // Of several that are late only the last is drawn.
      this.#make(wall, next !== undefined && next <= until);
    }
    this.#arm();
  }

  #make(wall: number, late: boolean): void {
    const encoder = this.#encoder!;
    const scene = this.#scenes.at(wall);
    if (this.#pictures !== undefined) this.#makePicture(this.#pictures, encoder, { wall, scene, late });
    const end = Math.round((this.#timeline!.picture * SOUND_RATE) / this.#fps);
    encoder.sound(this.#mixer.mix(wall, end - this.#samples));
    this.#samples = end;
  }

  #makePicture(
    pictures: PictureMaker,
    encoder: Encoder,
    { wall, scene, late }: { wall: number; scene: ReturnType<SceneKeeper['at']>; late: boolean },
  ): void {
    const changed = pictures.update(wall, scene) || this.#missed || encoder.stale;
    this.#missed = changed && late;
    if (!changed || late) {
      encoder.picture(undefined);
      return;
    }
    if (encoder.busy) {
      // It counts as one that the encoder had no time for.
      encoder.picture(this.#lastDrawn);
      this.#missed = true;
      return;
    }
    pictures.release();
    this.#lastDrawn = pictures.draw(wall);
    this.#missed = !encoder.picture(this.#lastDrawn);
  }

  async #finish(at: number): Promise<void> {
    this.#timeline?.end(at);
    if (this.#timeline === undefined) this.#finished.resolve();
    else this.#arm();
    await this.#finished.promise;
    clearTimeout(this.#timer);
    for (const sound of this.#sounds.values()) sound.close();
    await this.#pictures?.close();
    await this.#encoder?.finish();
    await Promise.all(this.#options.sinks.map((sink) => sink.close()));
  }
}

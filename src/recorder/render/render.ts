/** Makes the picture and sound of a recording anew from its tracks, in any layout and size, as fast as the machine can. */
import { mkdir, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import { captionsOf } from '../after/captions.ts';
import { chaptersOf } from '../after/chapters.ts';
import { remux } from '../after/mux/remux.ts';
import { placeFile } from '../after/place.ts';
import { type EncodeSettings, type VideoEncoding, vpxEncoding, x264Encoding } from '../encode/settings.ts';
import { SOUND_RATE } from '../encode/types.ts';
import {
  FILES,
  isLocked,
  isUnfinished,
  outputDurationMs,
  type Recording,
  readRecording,
} from '../folder/index.ts';
import { lockFolder } from '../folder/lock.ts';
import { PictureMaker } from '../live/picture-maker.ts';
import { SceneQueue } from '../live/scene-queue.ts';
import { Speech } from '../live/speech.ts';
import { Timeline } from '../live/timeline.ts';
import { Mixer } from '../sound/index.ts';
import { openTracks, readEvents, type StoredTrack } from '../tracks/index.ts';
import type { LayoutName, RecordingEvent, RecordingFormat } from '../types.ts';
import { RenderOutput } from './output.ts';
import { scenesOf } from './scene-replay.ts';
import { StoredSound } from './stored-sound.ts';
import { StoredVideo } from './stored-video.ts';

export interface RenderOptions {
  readonly ffmpeg: Ffmpeg;
  /** The file that is made; one of that name is replaced once all is done. */
  readonly out: string;
  readonly format: RecordingFormat;
  /** What is not given is as it was recorded. */
  readonly layout?: LayoutName | undefined;
  readonly pin?: string | undefined;
  readonly width?: number | undefined;
  readonly height?: number | undefined;
  readonly fps?: number | undefined;
  readonly bitrate?: number | undefined;
  readonly clock?: boolean | undefined;
  /** Hears how far it is, milliseconds of output, about once a second of it. */
  readonly onProgress?: (doneMs: number, wholeMs: number) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface RenderReport {
  readonly path: string;
  /** Length of the file. */
  readonly seconds: number;
  /** What it took, seconds. */
  readonly took: number;
}

/** Sound alone is mixed in pieces of this rate. */
const SOUND_PIECES = 25;
/** Tracks are opened so long before their first frame. */
const OPEN_AHEAD_MS = 1_000;
const MOST_THREADS = 8;

/**
 * @param path the recording's folder, which is only read
 * @throws MeetError `not-found`, `recording-busy` while it is being recorded, `media-unusable` where nothing was recorded,
 *   `ffmpeg-failed`, `disk-full`, `no-permission`; the reason of the signal. There is no new file then.
 */
export async function renderRecording(path: string, options: RenderOptions): Promise<RenderReport> {
  const begun = performance.now();
  const recording = await readRecording(path);
  if (isUnfinished(recording.state) && (await isLocked(path)))
    throw new MeetError('recording-busy', `The recording ${recording.id} is still being recorded.`);
  const events: RecordingEvent[] = [];
  for await (const event of readEvents(join(path, FILES.events))) events.push(event);
  const times = timesOf(recording, events);
  const out = resolve(options.out);
  const workFolder = join(dirname(out), `.${basename(out)}.rendering`);
  try {
    await mkdir(workFolder, { recursive: true });
  } catch (error) {
    throw saveError(out, error);
  }
  const lock = await lockFolder(workFolder);
  try {
    const { format, ffmpeg, signal } = options;
    const live = join(workFolder, `live.${format}`);
    await make(path, { recording: times, events, live, ...options });
    const durationMs = outputDurationMs(times, 0);
    const input = {
      ...{ media: live, format, title: times.title, startedAt: times.startedAt, seconds: durationMs / 1_000 },
      chapters: chaptersOf(events, times, { durationMs }),
      captions: await captionsOf(path, format, workFolder),
    };
    const finished = join(workFolder, `finished.${format}`);
    const { seconds } = await remux(ffmpeg, input, finished, { workFolder, signal });
    await placeFile(finished, out);
    return { path: out, seconds, took: (performance.now() - begun) / 1_000 };
  } finally {
    await lock.release();
    await rm(workFolder, { recursive: true, force: true });
  }
}

/** Beginning and end, by the events where the recorder died before it could note them. */
function timesOf(
  recording: Recording,
  events: readonly RecordingEvent[],
): Recording & { startedAt: number; stoppedAt: number } {
  const startedAt = recording.startedAt ?? events.find(({ type }) => type === 'start')?.at;
  const stoppedAt = recording.stoppedAt ?? events.at(-1)?.at;
  if (startedAt === undefined || stoppedAt === undefined || !(stoppedAt > startedAt))
    throw new MeetError('media-unusable', `Nothing was recorded in ${recording.id}.`);
  return { ...recording, startedAt, stoppedAt };
}

interface Job extends RenderOptions {
  readonly recording: Recording & { readonly startedAt: number; readonly stoppedAt: number };
  readonly events: readonly RecordingEvent[];
  readonly live: string;
}

/** Writes the fragmented file. */
async function make(path: string, job: Job): Promise<void> {
  const { recording, events, ffmpeg, format, signal } = job;
  const { width, height, fps, bitrate, clock, layout, pin } = chosen(job);
  const video = format === 'm4a' ? undefined : { width, height, fps };
  const settings: EncodeSettings = { format, bitrate, ...(video && { video }) };
  const output = await RenderOutput.open(job.live, { ffmpeg, settings, encodings: encodingsOf(format) });
  const speech = new Speech();
  const scenes = new SceneQueue(speech);
  for (const { at, scene } of scenesOf(events, { layout, pin, followsEvents: job.layout === undefined }))
    scenes.push(at, scene);
  const pictures =
    video && new PictureMaker({ ...video, clock, ffmpeg: ffmpeg.path, onDecoderFailed: () => {} });
  const mixer = new Mixer();
  const tracks = new OpenTracks(await openTracks(path), { pictures, mixer, speech });
  const rate = video?.fps ?? SOUND_PIECES;
  const { startedAt, stoppedAt, pauses } = recording;
  const timeline = new Timeline({ startedAt, fps: rate, pauses, picture: 0 });
  timeline.end(stoppedAt);
  let samples = 0;
  try {
    for (let wall = timeline.next; wall !== undefined; wall = timeline.next) {
      signal?.throwIfAborted();
      await tracks.advance(wall);
      const scene = scenes.at(wall);
      await output.ready();
      if (pictures) {
        pictures.release();
        const isNew = pictures.update(wall, scene) || output.isStale;
        output.picture(isNew ? pictures.draw(wall) : undefined);
      }
      timeline.advance();
      const end = Math.round((timeline.picture * SOUND_RATE) / rate);
      output.sound(mixer.mix(wall, end - samples));
      samples = end;
      if (timeline.picture % rate === 0)
        job.onProgress?.((timeline.picture * 1_000) / rate, outputDurationMs(recording, 0));
    }
    await output.finish();
  } finally {
    await tracks.close();
    await pictures?.close();
    await output.close();
  }
}

function chosen({ recording: { options }, ...job }: Job) {
  const defined = Object.fromEntries(
    Object.entries({ ...job }).filter(([name, value]) => name in options && value !== undefined),
  );
  // A pin belongs to the layout that it was recorded with.
  const { pin, ...recorded } = options;
  return {
    ...recorded,
    pin: job.pin ?? (job.layout === undefined ? pin : undefined),
    ...defined,
  } as typeof options;
}

function encodingsOf(format: RecordingFormat): VideoEncoding[] {
  const threads = Math.min(MOST_THREADS, availableParallelism());
  if (format === 'm4a') return [];
  return [format === 'webm' ? vpxEncoding('vp8', 'high', threads) : x264Encoding(0, threads)];
}

interface Inputs {
  readonly pictures: PictureMaker | undefined;
  readonly mixer: Mixer;
  readonly speech: Speech;
}

/** The tracks that are seen or heard now. */
class OpenTracks {
  readonly #inputs: Inputs;
  #waiting: StoredTrack[];
  readonly #videos = new Map<StoredTrack, StoredVideo>();
  readonly #sounds = new Set<StoredSound>();

  constructor(tracks: readonly StoredTrack[], inputs: Inputs) {
    this.#inputs = inputs;
    this.#waiting = [...tracks].sort((a, b) => a.startedAt - b.startedAt);
  }

  /** Resolves when all that is seen and heard at a wall time is there. */
  async advance(wallMs: number): Promise<void> {
    while (this.#waiting[0] && this.#waiting[0].startedAt <= wallMs + OPEN_AHEAD_MS)
      this.#open(this.#waiting.shift()!);
    await Promise.all([...this.#videos.values()].map((video) => video.advance(wallMs)));
    for (const sound of this.#sounds) {
      if (await sound.advance(wallMs)) continue;
      this.#sounds.delete(sound);
      await sound.close();
    }
  }

  async close(): Promise<void> {
    for (const sound of this.#sounds) await sound.close();
  }

  #open(track: StoredTrack): void {
    const { pictures, mixer, speech } = this.#inputs;
    const { codec } = track;
    if (codec === 'opus') {
      this.#sounds.add(new StoredSound(track, mixer, speech));
      return;
    }
    // A track that goes on in another file after an interruption takes its own place.
    pictures?.end(track.trackId);
    for (const other of this.#videos.keys()) if (other.trackId === track.trackId) this.#videos.delete(other);
    const video = pictures?.add(track.trackId, (decoders) => new StoredVideo(track, codec, decoders));
    if (video) this.#videos.set(track, video);
  }
}

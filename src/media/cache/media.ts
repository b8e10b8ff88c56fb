import { EventEmitter } from 'node:events';
import { SILENT_LEVEL } from '../encode/audio-level.ts';
import { TICKS_PER_SECOND } from '../encode/keyframe-grid.ts';
import type { AudioDescription, VideoDescription } from '../types.ts';
import type { RunFile } from './run-file.ts';

/** 20 ms of Opus in ticks of 1/90000 s. */
export const AUDIO_FRAME_TICKS = 1_800;
/** Opus packets that are stored and read together: a second. */
export const AUDIO_RUN_PACKETS = 50;

/**
 * A keyframe and the pictures that follow it in one level of one layer, or a second of Opus packets: what is written
 * and read in one piece.
 */
export interface Run {
  readonly level: number;
  readonly startTicks: number;
  /** Bytes of each frame. */
  readonly sizes: number[];
  /** Audio: the level of each packet, −dBov. */
  readonly audioLevels?: number[];
  /** No frame will be added. */
  closed: boolean;
  /** The frames, while they are in memory. */
  frames?: Buffer[];
  /** Where they begin in the file, once they are in it. */
  offset?: number;
}

/**
 * The encoded form of one input: complete from the cache, or growing while ffmpeg works. Times are ticks of 1/90000 s
 * from the input's start.
 */
export class EncodedMedia extends EventEmitter<{ grown: []; complete: []; failed: [Error] }> {
  readonly video: VideoDescription | undefined;
  readonly audio: AudioDescription | undefined;
  /** One picture, repeated each second. */
  readonly still: boolean;
  /** Times of the pictures, the same in all layers, ascending. */
  readonly pictures: number[] = [];
  readonly audioRuns: Run[] = [];
  audioPackets = 0;
  complete = false;
  failure: Error | undefined;
  readonly #layers: Map<number, Run>[];
  readonly #file: RunFile | undefined;
  readonly #loads = new WeakMap<Run, Promise<Buffer[]>>();
  readonly #loaded = new WeakMap<Run, WeakRef<Buffer[]>>();

  constructor(description: {
    video?: VideoDescription;
    audio?: AudioDescription;
    still: boolean;
    file?: RunFile;
  }) {
    super();
    this.setMaxListeners(0);
    this.video = description.video;
    this.audio = description.audio;
    this.still = description.still;
    this.#file = description.file;
    this.#layers = (description.video?.layers ?? []).map(() => new Map());
  }

  /** The longest run of a layer that starts with the picture of this time. */
  run(layer: number, startTicks: number): Run | undefined {
    return this.#layers[layer]?.get(startTicks);
  }

  /** All runs of a layer that a reader may go to. */
  runs(layer: number): Iterable<Run> {
    return this.#layers[layer]?.values() ?? [];
  }

  addRun(layer: number, run: Run): void {
    const runs = this.#layers[layer];
    const there = runs?.get(run.startTicks);
    // A scene change may make a keyframe in a lower level where another level starts; the lower one lasts longer.
    if (!there || there.level > run.level) runs?.set(run.startTicks, run);
  }

  /** The frames of a run if they are in memory. The array of a run that is not closed still grows. */
  frames(run: Run): Buffer[] | undefined {
    return run.frames ?? this.#loaded.get(run)?.deref();
  }

  /** The frames of a run, read from the file when they are not in memory; read once for all who ask meanwhile. */
  async load(run: Run): Promise<Buffer[]> {
    const there = this.frames(run);
    if (there) return there;
    const pending = this.#loads.get(run);
    if (pending !== undefined) return pending;
    const load = this.#read(run).finally(() => this.#loads.delete(run));
    this.#loads.set(run, load);
    return load;
  }

  async #read(run: Run): Promise<Buffer[]> {
    if (!this.#file || run.offset === undefined) throw new Error('The frames have been released already');
    const frames = await this.#file.read(run.offset, run.sizes);
    this.#loaded.set(run, new WeakRef(frames));
    return frames;
  }

  /** Forgets runs that end before a time; for media that is not kept in a file. */
  release(beforeTicks: number): void {
    if (this.#file) return;
    for (const runs of this.#layers) {
      for (const [start, run] of runs) {
        // A run lasts at most a second, unless pictures are further apart: then the next one starts a new run.
        if (!run.closed || start >= beforeTicks - 2 * TICKS_PER_SECOND) break;
        run.frames = undefined;
        runs.delete(start);
      }
    }
    for (
      let i = Math.floor((beforeTicks - 2 * TICKS_PER_SECOND) / AUDIO_FRAME_TICKS / AUDIO_RUN_PACKETS);
      i >= 0;
      i -= 1
    ) {
      const run = this.audioRuns[i];
      if (!run?.frames) break;
      if (run.closed) run.frames = undefined;
    }
  }

  /** Time of the last picture that every layer has; −1 before the first. */
  get videoTicks(): number {
    return this.pictures.at(-1) ?? -1;
  }

  /** Time at which the sound that is there ends. */
  get audioTicks(): number {
    return this.audioPackets * AUDIO_FRAME_TICKS;
  }

  /** Up to which time everything is there. */
  get availableTicks(): number {
    if (this.complete) return this.durationTicks;
    return Math.min(this.video ? this.videoTicks : Infinity, this.audio ? this.audioTicks : Infinity);
  }

  /** Length of the picture, with the last one lasting as long as the one before; 0 without picture. */
  get pictureDurationTicks(): number {
    const last = this.pictures.at(-1);
    if (last === undefined) return 0;
    const previous = this.pictures.at(-2);
    const nominal = Math.round(TICKS_PER_SECOND / (this.video?.frameRate ?? 30));
    // A last picture after a long pause would make the pause twice as long.
    return (
      last +
      (previous === undefined ? nominal : Math.min(last - previous, Math.max(nominal, TICKS_PER_SECOND)))
    );
  }

  /** Length of the longer of picture and sound. */
  get durationTicks(): number {
    return Math.max(this.pictureDurationTicks, this.audioTicks);
  }

  /** Level of an Opus packet, −dBov. */
  audioLevelOf(packet: number): number {
    const run = this.audioRuns[Math.floor(packet / AUDIO_RUN_PACKETS)];
    return run?.audioLevels?.[packet % AUDIO_RUN_PACKETS] ?? SILENT_LEVEL;
  }
}

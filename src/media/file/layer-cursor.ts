import type { EncodedMedia, Run } from '../cache/media.ts';
import { cellTicks } from '../encode/keyframe-grid.ts';

/** Where one simulcast layer is: in which run, and what is being read ahead. */
export class LayerCursor {
  readonly #layer: number;
  readonly #wake: () => void;
  #run: Run | undefined;
  #frames: Buffer[] = [];
  /** Index of the run's first picture. */
  #firstPicture = 0;
  readonly #ahead = new Map<Run, Buffer[] | 'reading'>();
  /** Set while the layer gives nothing until its next keyframe, because it has just been made active. */
  #joining = false;
  active = true;
  keyFrameWanted = true;

  constructor(layer: number, wake: () => void) {
    this.#layer = layer;
    this.#wake = wake;
  }

  /** Leaves the run: a new pass begins, or the layer is to come in with its next keyframe. */
  reset(options: { joining?: boolean } = {}): void {
    this.#joining = options.joining ?? this.#joining;
    this.#run = undefined;
    this.#frames = [];
    this.#ahead.clear();
  }

  /**
   * Makes the layer's frame of a picture ready, going to another run where one starts and this one has ended or a
   * keyframe is wanted. `false` while it has still to come from the encoder or the disk.
   */
  prepare(media: EncodedMedia, picture: number): boolean {
    if (!this.active) return true;
    const start = media.run(this.#layer, media.pictures[picture] ?? -1);
    if (start && start !== this.#run && (this.keyFrameWanted || this.#hasEnded(media, picture))) {
      const ahead = this.#ahead.get(start);
      const frames = Array.isArray(ahead) ? ahead : media.frames(start);
      if (frames) this.#enter(media, start, frames, picture);
      else this.#read(media, start);
    }
    return (
      this.#joining || (this.#run !== undefined && this.#frames[picture - this.#firstPicture] !== undefined)
    );
  }

  /** Whether a picture comes after the run. One that is being encoded may still get pictures of its cell. */
  #hasEnded(media: EncodedMedia, picture: number): boolean {
    const run = this.#run;
    if (!run) return true;
    if (picture - this.#firstPicture < run.sizes.length) return false;
    const cell = cellTicks(run.level);
    return run.closed || Math.floor(media.pictures[picture]! / cell) > Math.floor(run.startTicks / cell);
  }

  /** The frame that was made ready; `undefined` for a layer that is not active or waits for its keyframe. */
  take(picture: number): { data: Buffer; keyframe: boolean } | undefined {
    const at = picture - this.#firstPicture;
    const data = this.active && this.#run ? this.#frames[at] : undefined;
    return data && { data, keyframe: at === 0 };
  }

  /** Reads the runs that start with the next pictures, so that a wanted keyframe is there in time. */
  readAhead(media: EncodedMedia, picture: number, runs: number): void {
    let left = runs;
    for (let i = picture; i < media.pictures.length && left > 0; i += 1) {
      const run = media.run(this.#layer, media.pictures[i]!);
      if (!run || run === this.#run) continue;
      this.#read(media, run);
      left -= 1;
    }
  }

  #enter(media: EncodedMedia, run: Run, frames: Buffer[], picture: number): void {
    this.#run = run;
    this.#frames = frames;
    this.#firstPicture = picture;
    this.keyFrameWanted = false;
    this.#joining = false;
    for (const other of this.#ahead.keys()) if (other.startTicks <= run.startTicks) this.#ahead.delete(other);
    if (!run.closed) return;
    const next = media.run(this.#layer, media.pictures[picture + run.sizes.length] ?? -1);
    if (next) this.#read(media, next);
  }

  #read(media: EncodedMedia, run: Run): void {
    if (this.#ahead.has(run)) return;
    this.#ahead.set(run, 'reading');
    media.load(run).then(
      (frames) => {
        if (!this.#ahead.has(run)) return;
        this.#ahead.set(run, frames);
        this.#wake();
      },
      (error: unknown) => {
        this.#ahead.delete(run);
        media.emit('failed', error instanceof Error ? error : new Error(String(error)));
      },
    );
  }
}

import { arrange, neededHeight } from '../layout/arrange.ts';
import { gapOf } from '../layout/grid.ts';
import { evenBelow, type Size } from '../layout/rect.ts';
import { Transition } from '../layout/transition.ts';
import type { Scene, Tile } from '../layout/types.ts';
import { Canvas } from './canvas.ts';
import { Clock } from './clock.ts';
import { Masks } from './masks.ts';
import type { I420Picture } from './picture.ts';
import { Pictures } from './pictures.ts';
import { PixelMemory } from './pixels.ts';
import { Scaler } from './scaler.ts';
import { type TileContent, TilePainter } from './tile-painter.ts';

/** A stream whose picture is this old is shown as one that stands still, milliseconds. */
export const STALLED_AFTER_MS = 5_000;
/**
 * How long a picture of a track that is in no scene is kept: its tile may still be on its way out, or the scene that has it
 * may still come. Milliseconds.
 */
const FORGET_AFTER_MS = 2_000;
/** Canvases that may be with the encoder at a time. */
const MAX_CANVASES = 6;

export interface ComposerOptions extends Size {
  /** The time of day in the upper right corner. */
  readonly clock?: boolean;
  /** Of the clock, such as `Europe/Berlin`; the system's when absent. */
  readonly timeZone?: string;
  /** Radius of the tiles' corners, pixels; 0, the default, leaves them square. */
  readonly corners?: number;
}

/**
 * Makes the pictures of a recording: what is said by `setScene` and `put` until then is what `draw` draws. Times are
 * milliseconds since the epoch and never go back. Only what has changed is drawn anew.
 */
export class Composer {
  /** Where pictures may be put to save a copy. */
  readonly memory = new PixelMemory();
  readonly #size: Size;
  readonly #pictures = new Pictures(this.memory);
  readonly #painter: TilePainter;
  readonly #clock: Clock | undefined;
  readonly #transition = new Transition();
  /** When a track's picture of this version was first drawn. */
  readonly #seen = new Map<string, { readonly version: number; readonly atMs: number }>();
  /** Since when tracks with pictures are in no scene. */
  readonly #strangers = new Map<string, number>();
  readonly #canvases: Canvas[] = [];
  #scene: Scene = { layout: 'gallery', people: [], speakers: [] };

  constructor({ width, height, clock = false, timeZone, corners = 0 }: ComposerOptions) {
    this.#size = { width, height };
    const masks = new Masks(this.memory);
    this.#painter = new TilePainter(new Scaler(this.memory), masks, {
      canvas: this.#size,
      corners: evenBelow(corners),
    });
    if (clock) this.#clock = new Clock(masks, { canvas: this.#size, gap: gapOf(this.#size), timeZone });
  }

  /** Says who is there and how they are shown from a time on. */
  setScene(scene: Scene, timeMs: number): void {
    this.#scene = scene;
    this.#transition.to(arrange(scene, this.#size), timeMs);
  }

  /**
   * Takes the newest picture of a track. One in a piece of `memory` is held until the next comes; of any other a copy is
   * made.
   */
  put(trackId: string, picture: I420Picture): void {
    this.#pictures.put(trackId, picture);
  }

  /** Pixels of height that a track is shown at now, 0 where it is not shown. */
  neededHeight(trackId: string): number {
    return neededHeight(this.#scene, this.#size, trackId);
  }

  /**
   * Draws the picture of a time: I420 of the composer's size. The bytes stay as they are until `release` gets them back;
   * at most six pictures may be out.
   */
  draw(timeMs: number): Uint8Array {
    const canvas = this.#freeCanvas();
    const tiles = this.#transition.at(timeMs);
    const contents = tiles.map((tile) => this.#contentOf(tile, timeMs));
    canvas.draw(tiles, contents, this.#clock?.at(timeMs));
    this.#forget(timeMs);
    canvas.out = true;
    return canvas.bytes;
  }

  /** Takes back what `draw` gave, to draw on it again. */
  release(picture: Uint8Array): void {
    const canvas = this.#canvases.find(({ bytes }) => bytes === picture);
    if (canvas) canvas.out = false;
  }

  close(): void {
    for (const trackId of this.#pictures.trackIds()) this.#pictures.drop(trackId);
    this.#seen.clear();
    this.#strangers.clear();
    for (const canvas of this.#canvases.splice(0)) canvas.close();
  }

  #freeCanvas(): Canvas {
    const free = this.#canvases.find(({ out }) => !out);
    if (free) return free;
    if (this.#canvases.length === MAX_CANVASES) {
      throw new RangeError(`${MAX_CANVASES} pictures were drawn and none was released.`);
    }
    const canvas = new Canvas(this.memory, this.#painter, this.#size);
    this.#canvases.push(canvas);
    return canvas;
  }

  #contentOf({ trackId }: Tile, timeMs: number): TileContent {
    const picture = trackId === undefined ? undefined : this.#pictures.get(trackId);
    if (trackId === undefined || !picture) return { picture: undefined, stalled: false };
    const seen = this.#seen.get(trackId);
    if (seen?.version === picture.version) return { picture, stalled: timeMs - seen.atMs > STALLED_AFTER_MS };
    this.#seen.set(trackId, { version: picture.version, atMs: timeMs });
    return { picture, stalled: false };
  }

  /** Lets go of pictures that belong to nobody any more. */
  #forget(timeMs: number): void {
    const known = new Set(this.#scene.people.flatMap(({ video, screen }) => [video, screen]));
    for (const trackId of this.#pictures.trackIds()) {
      if (known.has(trackId)) {
        this.#strangers.delete(trackId);
        continue;
      }
      const sinceMs = this.#strangers.get(trackId) ?? timeMs;
      this.#strangers.set(trackId, sinceMs);
      if (timeMs - sinceMs < FORGET_AFTER_MS) continue;
      this.#strangers.delete(trackId);
      this.#seen.delete(trackId);
      this.#pictures.drop(trackId);
    }
  }
}

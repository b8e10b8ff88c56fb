import type { Size } from '../layout/rect.ts';
import type { Tile } from '../layout/types.ts';
import type { Rect } from '../types.ts';
import type { ClockFace } from './clock.ts';
import { i420Bytes } from './picture.ts';
import type { PixelMemory } from './pixels.ts';
import { BACKGROUND } from './style.ts';
import { planesAt, Surface } from './surface.ts';
import type { TileContent, TilePainter } from './tile-painter.ts';

/** A picture in the making, which knows what is drawn on it already. */
export class Canvas {
  /** The encoder has it. */
  out = false;
  readonly bytes: Uint8Array;
  readonly #memory: PixelMemory;
  readonly #painter: TilePainter;
  readonly #at: number;
  readonly #surface: Surface;
  readonly #whole: Rect;
  /** Where the tiles are that are drawn on it. */
  #places = '';
  /** What is in them, in the same order. */
  #contents: readonly string[] = [];
  #clock: string | undefined;

  constructor(memory: PixelMemory, painter: TilePainter, { width, height }: Size) {
    const bytes = i420Bytes(width, height);
    this.#memory = memory;
    this.#painter = painter;
    this.#at = memory.take(bytes);
    this.bytes = memory.view(this.#at, bytes);
    this.#surface = new Surface(memory, planesAt(this.#at, width, height));
    this.#whole = { x: 0, y: 0, width, height };
    this.#surface.fill(this.#whole, BACKGROUND);
  }

  /** Draws tiles, the lowest first, where they differ from what is there, and the clock over them. */
  draw(tiles: readonly Tile[], contents: readonly TileContent[], clock: ClockFace | undefined): void {
    const places = tiles.map(placeOf).join();
    const looks = tiles.map((tile, index) => lookOf(tile, contents[index]!));
    const anew = places !== this.#places;
    const changed = looks.map((look, index) => anew || look !== this.#contents[index]);
    // The clock lets what is behind it through, so that all of that has to be drawn before it is.
    const behind = changed.some((one, index) => one && clock && overlap(tiles[index]!.rect, clock.rect));
    const clockDrawn = clock !== undefined && (anew || behind || clock.text !== this.#clock);
    if (anew) this.#surface.fill(this.#whole, BACKGROUND);
    else if (clockDrawn) this.#surface.fill(clock.rect, BACKGROUND);
    const drawn: Rect[] = clockDrawn ? [clock.rect] : [];
    for (const [index, tile] of tiles.entries()) {
      // What lies over something that is drawn anew has to be drawn again too.
      if (!changed[index] && !drawn.some((rect) => overlap(rect, tile.rect))) continue;
      this.#paint(tile, contents[index]!);
      drawn.push(tile.rect);
    }
    if (clockDrawn) clock.paint(this.#surface);
    this.#places = places;
    this.#contents = looks;
    this.#clock = clock?.text;
  }

  #paint(tile: Tile, content: TileContent): void {
    if (tile.opacity >= 1) {
      this.#painter.paint(this.#surface, tile, content);
      return;
    }
    const { width, height } = tile.rect;
    const at = this.#memory.take(i420Bytes(width, height));
    const planes = planesAt(at, width, height);
    const alone = new Surface(this.#memory, planes);
    this.#painter.paint(alone, tile, content, { x: 0, y: 0, width, height });
    this.#surface.mix(tile.rect, planes, tile.opacity);
    this.#memory.give(at);
  }

  close(): void {
    this.#memory.give(this.#at);
  }
}

function placeOf({ key, rect, z, opacity }: Tile): string {
  return `${key} ${rect.x} ${rect.y} ${rect.width} ${rect.height} ${z} ${opacity}`;
}

function lookOf(tile: Tile, { picture, stalled }: TileContent): string {
  const { kind, trackId, label, muted, speaking } = tile;
  return JSON.stringify([kind, trackId, picture?.version, stalled, label, muted, speaking]);
}

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

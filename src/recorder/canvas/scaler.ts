import type { Rect } from '../types.ts';
import { half } from './picture.ts';
import type { PixelMemory } from './pixels.ts';
import type { Planes } from './surface.ts';

/** Tables that are kept; a transition uses a new pair for each of its pictures. */
const MAX_TABLES = 128;
/** Bytes after a row that the functions may write to or read from. */
const SLACK = 32;

/** Scales pictures and keeps what belongs to a pair of sizes. */
export class Scaler {
  readonly #memory: PixelMemory;
  /** Addresses by the two sizes, the one used longest ago first. */
  readonly #tables = new Map<string, number>();
  /** Places for halved planes, one a halving, and their bytes. */
  readonly #halves: { at: number; bytes: number }[] = [];
  #line = { at: 0, bytes: 0 };

  constructor(memory: PixelMemory) {
    this.#memory = memory;
  }

  /**
   * Draws a part of a picture (even x and y) into a rectangle of even pixels. Three planes are scaled alike; pixels are
   * averaged over what they cover, so nothing flickers when a large picture becomes small.
   */
  draw(source: Planes, part: Rect, target: Planes, rect: Rect): void {
    for (let plane = 0; plane < 3; plane += 1) {
      const shift = plane === 0 ? 0 : 1;
      const from = source.at[plane]! + (part.y >> shift) * source.strides[plane]! + (part.x >> shift);
      const to = target.at[plane]! + (rect.y >> shift) * target.strides[plane]! + (rect.x >> shift);
      const size = (length: number) => (shift === 0 ? length : half(length));
      this.#plane(
        { at: from, stride: source.strides[plane]!, width: size(part.width), height: size(part.height) },
        { at: to, stride: target.strides[plane]!, width: rect.width >> shift, height: rect.height >> shift },
      );
    }
  }

  #plane(source: Plane, target: Plane): void {
    const { functions } = this.#memory;
    let from = source;
    for (let level = 0; from.width > 2 * target.width || from.height > 2 * target.height; level += 1) {
      const width = Math.max(1, from.width >> 1);
      const height = Math.max(1, from.height >> 1);
      const stride = width + SLACK;
      const at = this.#half(level, stride * (height + 1));
      functions.halve(at, stride, width, height, from.at, from.stride);
      from = { at, stride, width, height };
    }
    functions.scale(
      target.at,
      target.stride,
      target.width,
      target.height,
      from.at,
      from.stride,
      from.width,
      this.#table(from.width, target.width),
      this.#table(from.height, target.height),
      this.#lineOf(from.width),
    );
  }

  #half(level: number, bytes: number): number {
    const place = this.#halves[level];
    if (place && place.bytes >= bytes) return place.at;
    if (place) this.#memory.give(place.at);
    const at = this.#memory.take(bytes);
    this.#halves[level] = { at, bytes };
    return at;
  }

  #lineOf(width: number): number {
    if (this.#line.bytes >= width + SLACK) return this.#line.at;
    if (this.#line.bytes > 0) this.#memory.give(this.#line.at);
    this.#line = { at: this.#memory.take(width + SLACK), bytes: width + SLACK };
    return this.#line.at;
  }

  #table(from: number, to: number): number {
    const key = `${from}:${to}`;
    const known = this.#tables.get(key);
    if (known !== undefined) {
      this.#tables.delete(key);
      this.#tables.set(key, known);
      return known;
    }
    const { functions } = this.#memory;
    const table = this.#memory.take(functions.tableBytes(to));
    functions.tabulate(table, from, to);
    this.#tables.set(key, table);
    if (this.#tables.size > MAX_TABLES) {
      const [oldest, at] = this.#tables.entries().next().value!;
      this.#tables.delete(oldest);
      this.#memory.give(at);
    }
    return table;
  }
}

interface Plane {
  readonly at: number;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

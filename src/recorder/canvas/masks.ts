import type { Mask } from '../text/outline.ts';
import { half } from './picture.ts';
import type { PixelMemory } from './pixels.ts';
import type { StoredMask } from './surface.ts';

/** Masks that are kept; some dozen are in use at a time, and the clock makes new ones. */
const MAX_MASKS = 256;
/** Vector loads go this far past the end. */
const SLACK = 32;

/** Masks in the memory of the pixels, made when first needed and kept by their names. */
export class Masks {
  readonly #memory: PixelMemory;
  /** The one used longest ago first. */
  readonly #kept = new Map<string, { readonly at: number; readonly mask: StoredMask }>();

  constructor(memory: PixelMemory) {
    this.#memory = memory;
  }

  get(name: string, make: () => Mask): StoredMask {
    const known = this.#kept.get(name);
    if (known) {
      this.#kept.delete(name);
      this.#kept.set(name, known);
      return known.mask;
    }
    const entry = this.#store(make());
    this.#kept.set(name, entry);
    if (this.#kept.size > MAX_MASKS) {
      const [oldest, { at }] = this.#kept.entries().next().value!;
      this.#kept.delete(oldest);
      this.#memory.give(at);
    }
    return entry.mask;
  }

  /** Sides become even: what is added is empty. */
  #store({ width, height, data }: Mask): { at: number; mask: StoredMask } {
    const even = { width: 2 * half(width), height: 2 * half(height) };
    const stride = even.width;
    const lumaBytes = stride * even.height;
    const at = this.#memory.take(lumaBytes + lumaBytes / 4 + 2 * SLACK);
    this.#memory.bytes.fill(0, at, at + lumaBytes);
    for (let y = 0; y < height; y += 1) {
      this.#memory.bytes.set(data.subarray(y * width, (y + 1) * width), at + y * stride);
    }
    const colour = at + lumaBytes;
    this.#memory.functions.halve(colour, stride / 2, stride / 2, even.height / 2, at, stride);
    return { at, mask: { ...even, luma: at, lumaStride: stride, colour, colourStride: stride / 2 } };
  }
}

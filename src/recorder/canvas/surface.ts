import type { Rect } from '../types.ts';
import { type Colour, half } from './picture.ts';
import type { PixelMemory } from './pixels.ts';

/** Where planes of a picture lie: addresses and strides of luma, blue and red difference. */
export interface Planes {
  readonly at: readonly [number, number, number];
  readonly strides: readonly [number, number, number];
}

/** The planes of an I420 picture of so many pixels at an address. */
export function planesAt(at: number, width: number, height: number): Planes {
  const luma = width * height;
  const narrow = half(width);
  return {
    at: [at, at + luma, at + luma + narrow * half(height)],
    strides: [width, narrow, narrow],
  };
}

/** A mask of 0 (nothing) to 255 in memory, at the size of the luma and at that of the colour planes. */
export interface StoredMask {
  readonly width: number;
  readonly height: number;
  readonly luma: number;
  readonly lumaStride: number;
  readonly colour: number;
  readonly colourStride: number;
}

/** Planes to draw on. Rectangles are of even pixels and inside. */
export class Surface {
  readonly #memory: PixelMemory;
  readonly planes: Planes;

  constructor(memory: PixelMemory, planes: Planes) {
    this.#memory = memory;
    this.planes = planes;
  }

  /** Address of a pixel in a plane; `shift` is 0 for luma, 1 for colour. */
  #address(plane: number, x: number, y: number): number {
    const shift = plane === 0 ? 0 : 1;
    return this.planes.at[plane]! + (y >> shift) * this.planes.strides[plane]! + (x >> shift);
  }

  fill({ x, y, width, height }: Rect, colour: Colour): void {
    const { fill } = this.#memory.functions;
    const { strides } = this.planes;
    fill(this.#address(0, x, y), strides[0], width, height, colour.y);
    fill(this.#address(1, x, y), strides[1], width >> 1, height >> 1, colour.u);
    fill(this.#address(2, x, y), strides[2], width >> 1, height >> 1, colour.v);
  }

  /** Mixes a colour in: a share of 1 is all of it. */
  tint({ x, y, width, height }: Rect, colour: Colour, share: number): void {
    const { tint } = this.#memory.functions;
    const { strides } = this.planes;
    const weight = Math.round(share * 256);
    tint(this.#address(0, x, y), strides[0], width, height, colour.y, weight);
    tint(this.#address(1, x, y), strides[1], width >> 1, height >> 1, colour.u, weight);
    tint(this.#address(2, x, y), strides[2], width >> 1, height >> 1, colour.v, weight);
  }

  /** Takes the colour out and leaves light and dark. */
  grey({ x, y, width, height }: Rect): void {
    for (const plane of [1, 2]) {
      const at = this.#address(plane, x, y);
      this.#memory.functions.fill(at, this.planes.strides[plane]!, width >> 1, height >> 1, 128);
    }
  }

  /** Mixes other planes in, whose pixels from the top left corner on are those of the rectangle. */
  mix({ x, y, width, height }: Rect, { at, strides }: Planes, share: number): void {
    const weight = Math.round(share * 256);
    for (let plane = 0; plane < 3; plane += 1) {
      const shift = plane === 0 ? 0 : 1;
      this.#memory.functions.mix(
        this.#address(plane, x, y),
        this.planes.strides[plane]!,
        at[plane]!,
        strides[plane]!,
        width >> shift,
        height >> shift,
        weight,
      );
    }
  }

  /**
   * Paints a colour through a mask whose top left corner is at (x, y), both even.
   *
   * @param clip even pixels of the mask that are used, from its top left corner on
   */
  paint(
    x: number,
    y: number,
    mask: StoredMask,
    colour: Colour,
    { share = 1, width = mask.width, height = mask.height } = {},
  ): void {
    const { paint } = this.#memory.functions;
    const { strides } = this.planes;
    const weight = Math.round(share * 256);
    const { luma, lumaStride, colour: small, colourStride } = mask;
    paint(this.#address(0, x, y), strides[0], luma, lumaStride, width, height, colour.y, weight);
    for (const [plane, value] of [colour.u, colour.v].entries()) {
      const to = this.#address(plane + 1, x, y);
      paint(to, strides[plane + 1]!, small, colourStride, width >> 1, height >> 1, value, weight);
    }
  }
}

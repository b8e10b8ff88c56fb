/**
 * A decoded picture: planes of luma, blue and red difference one after the other without gaps, the latter two of half the
 * width and height, rounded up (I420). Values are of limited range: black is 16.
 */
export interface I420Picture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  /** The piece of a composer's memory that it lies in: it is held there and not copied. */
  readonly block?: number;
}

/** Bytes of a picture. */
export function i420Bytes(width: number, height: number): number {
  return width * height + 2 * half(width) * half(height);
}

/** Pixels of a colour plane for so many of luma. */
export function half(length: number): number {
  return (length + 1) >> 1;
}

/** A colour as its luma, blue and red difference (BT.601, limited range). */
export interface Colour {
  readonly y: number;
  readonly u: number;
  readonly v: number;
}

/** @param rgb red, green, blue, 0 to 255 */
export function colourOf([r, g, b]: readonly [number, number, number]): Colour {
  return {
    y: Math.round(16 + 0.257 * r + 0.504 * g + 0.098 * b),
    u: Math.round(128 - 0.148 * r - 0.291 * g + 0.439 * b),
    v: Math.round(128 + 0.439 * r - 0.368 * g - 0.071 * b),
  };
}

export const BLACK: Colour = { y: 16, u: 128, v: 128 };
export const WHITE: Colour = { y: 235, u: 128, v: 128 };

import type { VideoLayer } from '../types.ts';
import { evenSize, type Size } from './pixels.ts';

/** Height of the layer for those who see the screen small or by a narrow link. */
const LOW_HEIGHT = 360;
/** A screen that is hardly higher gets no second layer. */
const MIN_HEIGHT_FOR_TWO = 540;

/**
 * Bits a second of a screen by its pixels: 500 k at 640x360, 2 M at 1280x720, 3 M at 1920x1080. Text that does not move
 * takes a small part of it; how much there is decides how soon a new page is crisp.
 */
const RATES = [
  { pixels: 640 * 360, bitrate: 500_000 },
  { pixels: 1280 * 720, bitrate: 2_000_000 },
  { pixels: 1920 * 1080, bitrate: 3_000_000 },
  { pixels: 3840 * 2160, bitrate: 6_000_000 },
] as const;

function bitrateFor({ width, height }: Size): number {
  const pixels = width * height;
  const upper = RATES.findIndex((rate) => rate.pixels >= pixels);
  if (upper === -1) return RATES.at(-1)!.bitrate;
  const high = RATES[upper]!;
  const low = RATES[upper - 1];
  if (low === undefined) return Math.max(100_000, Math.round((high.bitrate * pixels) / high.pixels));
  const share = (pixels - low.pixels) / (high.pixels - low.pixels);
  return Math.round(low.bitrate + (high.bitrate - low.bitrate) * share);
}

/** The size of a picture that may be so many lines high, with its shape kept and even sides. */
export function sizeWithin(size: Size, maxHeight: number): Size {
  const scale = Math.min(1, maxHeight / size.height);
  return evenSize({ width: Math.round(size.width * scale), height: Math.round(size.height * scale) });
}

/** Sizes of `count` layers of a screen, lowest first. */
export function screenSizes(size: Size, maxHeight: number, count: number): Size[] {
  const full = sizeWithin(size, maxHeight);
  return count === 1 ? [full] : [sizeWithin(full, LOW_HEIGHT), full];
}

/** The layers of a screen, lowest first: the whole size and, where that is high enough, 360 lines. */
export function screenLayers(size: Size, maxHeight = Number.POSITIVE_INFINITY): VideoLayer[] {
  const count = sizeWithin(size, maxHeight).height < MIN_HEIGHT_FOR_TWO ? 1 : 2;
  return screenSizes(size, maxHeight, count).map((layer) => ({ ...layer, bitrate: bitrateFor(layer) }));
}

import type { VideoLayer } from '../types.ts';

/** The box of the highest layer; a portrait picture gets it upright. */
const LONG_SIDE = 1280;
const SHORT_SIDE = 720;

/**
 * Bits a second by number of pixels: 180p at 150 k, 360p at 600 k, 720p at 1.5 M; in between on a straight line in
 * logarithms.
 */
const RATES = [
  { pixels: 320 * 180, bitrate: 150_000 },
  { pixels: 640 * 360, bitrate: 600_000 },
  { pixels: 1280 * 720, bitrate: 1_500_000 },
] as const;

/** Encoders need some bits however small the picture is. */
const MIN_BITRATE = 50_000;

/**
 * Simulcast layers for a picture of this size, lowest first: the whole size within 1280x720 (or 720x1280), its half
 * and its quarter. Never larger than the source; two layers below 960x540 and one below 480x270, as in libwebrtc's
 * `simulcast.cc`. All sides are even.
 */
export function simulcastLayers(width: number, height: number): VideoLayer[] {
  const short = Math.min(width, height);
  const long = Math.max(width, height);
  const scale = Math.min(1, SHORT_SIDE / short, LONG_SIDE / long);
  const pixels = width * height * scale * scale;
  const divisors = pixels >= 960 * 540 ? [4, 2, 1] : pixels >= 480 * 270 ? [2, 1] : [1];
  return divisors.map((divisor) => {
    const layer = { width: even((width * scale) / divisor), height: even((height * scale) / divisor) };
    return { ...layer, bitrate: bitrateFor(layer.width * layer.height) };
  });
}

function even(pixels: number): number {
  return Math.max(2, Math.floor(Math.round(pixels) / 2) * 2);
}

function bitrateFor(pixels: number): number {
  const upper = RATES.find((rate) => rate.pixels >= pixels) ?? RATES[2];
  const lower = RATES[RATES.indexOf(upper) - 1];
  if (!lower) return Math.max(MIN_BITRATE, Math.round((upper.bitrate * pixels) / upper.pixels));
  const exponent = Math.log(upper.bitrate / lower.bitrate) / Math.log(upper.pixels / lower.pixels);
  return Math.round(Math.min(upper.bitrate, lower.bitrate * (pixels / lower.pixels) ** exponent));
}

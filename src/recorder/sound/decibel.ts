/** Factor of an amplitude. */
export const fromDecibel = (db: number): number => 10 ** (db / 20);

/** Loudness of a K-weighted mean square that is summed over the channels, LUFS (ITU-R BS.1770-4, Annex 1). */
export const loudnessOf = (meanSquare: number): number =>
  meanSquare <= 0 ? Number.NEGATIVE_INFINITY : -0.691 + 10 * Math.log10(meanSquare);

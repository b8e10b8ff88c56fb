/**
 * Exponential backoff with full jitter: attempt n waits a random part of `base · 2^n`, so that the clients of
 * a restarted server do not all come back at the same instant.
 */

/** First wait at most, milliseconds: a dropped connection to a healthy server is back at once. */
const BASE_MS = 150;
/** Longest wait, milliseconds: media has to be back within 2 s of the path. */
const MAX_MS = 1_500;

/**
 * @param attempt counts from 0
 * @param random between 0 and 1, as Math.random
 * @returns milliseconds to wait before the attempt
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  if (attempt === 0) return random() * BASE_MS;
  const ceiling = Math.min(MAX_MS, BASE_MS * 2 ** attempt);
  return ceiling / 4 + random() * (ceiling * 0.75);
}

/** Where in a track somebody speaks. */
import { SPEECH_RATE } from './types.ts';

/** Length of what one level is of. */
export const LEVEL_MS = 20;
const SAMPLES_A_LEVEL = (SPEECH_RATE * LEVEL_MS) / 1_000;
/** Of digital silence. */
const SILENCE_DB = -100;
/** Speech is this much above the noise of the room. */
const ABOVE_NOISE_DB = 10;
/** Whatever the noise is, this is no speech, and that is. */
const LOWEST_THRESHOLD_DB = -55;
const HIGHEST_THRESHOLD_DB = -40;
/** The noise is what so much of the sound is quieter than. */
const NOISE_QUANTILE = 0.2;
/** Shorter gaps are within a word. */
const JOIN_MS = 300;
/** Shorter sounds are clicks. */
const SHORTEST_MS = 60;
/** Before and after, so that no soft consonant is cut off. */
const MARGIN_MS = 200;

/** Milliseconds from the beginning of the track. */
export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

/** Levels of 16-bit samples that come in pieces of any size. */
export class LevelMeter {
  readonly #levels: number[] = [];
  #squares = 0;
  #samples = 0;
  #odd: Buffer | undefined;

  add(data: Buffer): void {
    const bytes = this.#odd ? Buffer.concat([this.#odd, data]) : data;
    const even = bytes.length & ~1;
    this.#odd = even < bytes.length ? bytes.subarray(even) : undefined;
    for (let at = 0; at < even; at += 2) {
      const sample = bytes.readInt16LE(at);
      this.#squares += sample * sample;
      this.#samples += 1;
      if (this.#samples === SAMPLES_A_LEVEL) this.#next();
    }
  }

  /** Decibels below full scale, one for each 20 ms. */
  finish(): number[] {
    if (this.#samples > 0) this.#next();
    return this.#levels;
  }

  #next(): void {
    const mean = this.#squares / this.#samples / 32_768 ** 2;
    this.#levels.push(mean > 0 ? Math.max(SILENCE_DB, 10 * Math.log10(mean)) : SILENCE_DB);
    this.#squares = 0;
    this.#samples = 0;
  }
}

/** Spans of speech with a margin around them, in order and apart from each other. */
export function speechSpans(levels: readonly number[]): Span[] {
  const threshold = thresholdOf(levels);
  const loud: { startMs: number; endMs: number }[] = [];
  levels.forEach((level, index) => {
    if (level < threshold) return;
    const startMs = index * LEVEL_MS;
    const last = loud.at(-1);
    if (last && startMs - last.endMs < JOIN_MS) last.endMs = startMs + LEVEL_MS;
    else loud.push({ startMs, endMs: startMs + LEVEL_MS });
  });
  const spans: { startMs: number; endMs: number }[] = [];
  for (const { startMs, endMs } of loud) {
    if (endMs - startMs < SHORTEST_MS) continue;
    const from = Math.max(0, startMs - MARGIN_MS);
    const to = Math.min(levels.length * LEVEL_MS, endMs + MARGIN_MS);
    const last = spans.at(-1);
    if (last && from <= last.endMs) last.endMs = to;
    else spans.push({ startMs: from, endMs: to });
  }
  return spans;
}

function thresholdOf(levels: readonly number[]): number {
  const heard = levels.filter((level) => level > SILENCE_DB).sort((a, b) => a - b);
  const noise = heard[Math.floor(heard.length * NOISE_QUANTILE)] ?? SILENCE_DB;
  return Math.min(HIGHEST_THRESHOLD_DB, Math.max(LOWEST_THRESHOLD_DB, noise + ABOVE_NOISE_DB));
}

/**
 * Speech in pieces of at most `maximumMs`: a new one begins after a silence of `pauseMs`, and where it has to be, in the
 * longest silence there is, or else in the quietest moment of the second half.
 */
export function piecesOf(
  spans: readonly Span[],
  levels: readonly number[],
  { maximumMs, pauseMs }: { readonly maximumMs: number; readonly pauseMs: number },
): Span[] {
  const pieces: Span[] = [];
  let open: Span[] = [];
  const close = () => {
    const [first, last] = [open[0], open.at(-1)];
    if (first && last) pieces.push({ startMs: first.startMs, endMs: last.endMs });
    open = [];
  };
  for (const span of spans.flatMap((one) => cut(one, levels, maximumMs))) {
    const last = open.at(-1);
    if (last && span.startMs - last.endMs >= pauseMs) close();
    while (open[0] && span.endMs - open[0].startMs > maximumMs) {
      const at = longestPause([...open, span]);
      const rest = open.slice(at);
      open = open.slice(0, at);
      close();
      open = rest;
    }
    open.push(span);
  }
  close();
  return pieces;
}

/** Index of the span after the longest silence; later ones win among equals, for fewer pieces. */
function longestPause(spans: readonly Span[]): number {
  let [best, length] = [1, -1];
  for (let index = 1; index < spans.length; index += 1) {
    const pause = spans[index]!.startMs - spans[index - 1]!.endMs;
    if (pause >= length) [best, length] = [index, pause];
  }
  return best;
}

/** A span that is too long for one piece, cut where it is quietest. */
function cut(span: Span, levels: readonly number[], maximumMs: number): Span[] {
  const parts: Span[] = [];
  let { startMs } = span;
  while (span.endMs - startMs > maximumMs) {
    const from = Math.ceil((startMs + maximumMs / 2) / LEVEL_MS);
    const to = Math.floor((startMs + maximumMs) / LEVEL_MS);
    let quietest = to;
    for (let index = from; index < to; index += 1) {
      if ((levels[index] ?? 0) < (levels[quietest] ?? 0)) quietest = index;
    }
    parts.push({ startMs, endMs: quietest * LEVEL_MS });
    startMs = quietest * LEVEL_MS;
  }
  return [...parts, { startMs, endMs: span.endMs }];
}

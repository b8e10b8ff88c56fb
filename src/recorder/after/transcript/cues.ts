/** Cues that can be read: of what was said, by whom, when. */
import type { VttCue } from '../vtt/write.ts';
import type { SpokenSegment, SpokenWord } from './types.ts';

/** Two lines of 42 characters, as broadcasters have them. */
const MAX_CHARACTERS = 84;
/** Longest time that one is shown, milliseconds. */
const MAX_CUE_MS = 7_000;
/** A silence of this length within a segment ends a cue, milliseconds. */
const PAUSE_MS = 1_000;
/** A flash is not read, milliseconds. */
const MIN_CUE_MS = 500;
/** Scripts without spaces have words of one character. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\u3001-\u303f\uff00-\uffef]/u;

/** Splits segments into cues of a length that can be read. Times stay on the clock of the segments. */
export function splitSegments(segments: readonly SpokenSegment[]): SpokenWord[] {
  return segments.flatMap((segment) => {
    const text = segment.text.replace(/\s+/g, ' ').trim();
    if (text === '') return [];
    const words = segment.words?.length ? segment.words : spreadWords({ ...segment, text });
    return cuesOf(words);
  });
}

/** Words of a segment without times of their own: each as long as it has characters. */
function spreadWords({ startMs, endMs, text }: SpokenWord): SpokenWord[] {
  const words = text.split(' ').flatMap(unspacedParts);
  const whole = words.reduce((sum, word) => sum + word.length + 1, 0);
  const scale = Math.max(endMs - startMs, MIN_CUE_MS) / whole;
  let at = startMs;
  return words.map((word) => {
    const begin = at;
    at += (word.length + 1) * scale;
    return { startMs: begin, endMs: at, text: word };
  });
}

function unspacedParts(word: string): string[] {
  if (word.length <= MAX_CHARACTERS / 4 || !UNSPACED.test(word)) return [word];
  return Array.from(word.match(/.{1,10}/gsu) ?? []);
}

function cuesOf(words: readonly SpokenWord[]): SpokenWord[] {
  const cues: SpokenWord[] = [];
  let open: SpokenWord | undefined;
  for (const word of words) {
    const text = word.text.trim();
    if (text === '') continue;
    if (open && goesOn(open, word, text)) {
      open = {
        startMs: open.startMs,
        endMs: Math.max(open.endMs, word.endMs),
        text: withWord(open.text, text),
      };
      continue;
    }
    if (open) cues.push(open);
    open = { startMs: word.startMs, endMs: Math.max(word.endMs, word.startMs), text };
  }
  if (open) cues.push(open);
  return cues;
}

function goesOn(open: SpokenWord, word: SpokenWord, text: string): boolean {
  if (word.startMs - open.endMs >= PAUSE_MS) return false;
  if (word.endMs - open.startMs > MAX_CUE_MS) return false;
  if (withWord(open.text, text).length > MAX_CHARACTERS) return false;
  // A sentence that ends in the second half of a cue ends the cue.
  return !(/[.!?…。！？]["'”’)]?$/u.test(open.text) && open.text.length >= MAX_CHARACTERS / 2);
}

const withWord = (text: string, word: string): string =>
  UNSPACED.test(text.at(-1) ?? '') && UNSPACED.test(word[0] ?? '') ? `${text}${word}` : `${text} ${word}`;

/** In the order of their times, within the recording, none too short to be seen. */
export function orderCues(cues: readonly VttCue[], durationMs: number): VttCue[] {
  return cues
    .map((cue) => {
      const startMs = Math.max(0, Math.min(cue.startMs, durationMs - MIN_CUE_MS));
      return { ...cue, startMs, endMs: Math.min(durationMs, Math.max(cue.endMs, startMs + MIN_CUE_MS)) };
    })
    .filter(({ startMs, endMs }) => endMs > startMs)
    .sort((a, b) => a.startMs - b.startMs || a.endMs - b.endMs);
}

/**
 * Cues one after the other, for subtitle tracks that show one at a time and know no speakers: who talk at once are in one
 * cue, each on a line that begins with the name.
 */
export function flattenCues(cues: readonly VttCue[]): VttCue[] {
  const edges = [...new Set(cues.flatMap(({ startMs, endMs }) => [startMs, endMs]))].sort((a, b) => a - b);
  const flat: VttCue[] = [];
  let next = 0;
  let shown: VttCue[] = [];
  edges.forEach((startMs, index) => {
    const endMs = edges[index + 1];
    shown = shown.filter((cue) => cue.endMs > startMs);
    while (cues[next] && cues[next]!.startMs <= startMs) shown.push(cues[next++]!);
    if (endMs === undefined || shown.length === 0) return;
    const text = shown
      .map((cue) => (cue.speaker === undefined ? cue.text : `${cue.speaker}: ${cue.text}`))
      .join('\n');
    const last = flat.at(-1);
    if (last && last.endMs === startMs && last.text === text) flat[flat.length - 1] = { ...last, endMs };
    else flat.push({ startMs, endMs, text });
  });
  return flat;
}

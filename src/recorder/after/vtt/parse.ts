/** Reads timed text that a program wrote: WebVTT, SRT, or whisper.cpp's `[start --> end]  text`. */
import { parseTimestamp } from './timestamp.ts';

export interface TimedText {
  readonly startMs: number;
  readonly endMs: number;
  readonly text: string;
}

const TIMING = /^\[?((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})\s+-->\s+((?:\d+:)?\d{1,2}:\d{2}[.,]\d{1,3})(.*)$/;
const ENTITIES: Readonly<Record<string, string>> = {
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&nbsp;': ' ',
  '&lrm;': '',
  '&rlm;': '',
};

/** The cues in the text, in its order; none where it has no line with two times. */
export function parseTimedText(text: string): TimedText[] {
  const cues: TimedText[] = [];
  for (const block of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const timing = TIMING.exec(block.trim());
    if (timing) {
      const [, start = '', end = '', rest = ''] = timing;
      // whisper.cpp has the text on the same line, after the bracket; WebVTT has settings there.
      const same = block.trim().startsWith('[') ? rest.replace(/^\]\s*/, '') : '';
      cues.push({ startMs: parseTimestamp(start)!, endMs: parseTimestamp(end)!, text: plain(same) });
      continue;
    }
    const last = cues.at(-1);
    if (last === undefined) continue;
    cues[cues.length - 1] = { ...last, text: `${last.text}\n${block}` };
  }
  return cues.map((cue) => ({ ...cue, text: plain(endAtBlankLine(cue.text)) }));
}

/** A blank line ends a cue; what follows is the next one's number or name. */
function endAtBlankLine(text: string): string {
  return text.replace(/^\n/, '').split(/\n\s*\n/)[0]!;
}

const plain = (text: string): string =>
  text
    .replace(/<[^>]*>/g, '')
    .replace(/&(?:amp|lt|gt|nbsp|lrm|rlm);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/\s+/g, ' ')
    .trim();

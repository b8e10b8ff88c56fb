/** Reads a transcript of ours back. */
import { parseTimestamp } from './timestamp.ts';
import type { VttCue } from './write.ts';

/** The cues with their speakers, in their order. */
export function parseTranscript(text: string): VttCue[] {
  return text.split(/\n\n+/).flatMap((block) => {
    const [timing = '', payload = ''] = block.trim().split('\n');
    const [from, to] = timing.split(' --> ').map(parseTimestamp);
    if (from === undefined || to === undefined) return [];
    const [, speaker, said = ''] = /^(?:<v ([^>]*)>)?(.*)$/.exec(payload) ?? [];
    const cue = { startMs: from, endMs: to, text: unescapeText(said) };
    return [speaker === undefined ? cue : { ...cue, speaker: unescapeText(speaker) }];
  });
}

const unescapeText = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');

/** What transcribers answer, in the shapes that they have, as segments. */
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { parseTimedText } from '../../vtt/parse.ts';
import type { SpokenSegment } from '../types.ts';

const Seconds = Type.Number();
const Timed = Type.Object({ start: Seconds, end: Seconds });

/** OpenAI's `verbose_json`, which whisper.cpp's server, faster-whisper and others also give. */
const VerboseJson = Type.Object({
  segments: Type.Array(Type.Intersect([Timed, Type.Object({ text: Type.String() })])),
  words: Type.Optional(Type.Array(Type.Intersect([Timed, Type.Object({ word: Type.String() })]))),
});
/** The file of `whisper-cli -oj`. */
const WhisperCppJson = Type.Object({
  transcription: Type.Array(
    Type.Object({
      offsets: Type.Object({ from: Type.Number(), to: Type.Number() }),
      text: Type.String(),
    }),
  ),
});
const TextOnly = Type.Object({ text: Type.String() });

/**
 * Segments of an answer as JSON: with times, or only a text, which then takes the whole piece of `durationMs`.
 * `undefined` for a shape that is not known.
 */
export function segmentsOfJson(value: unknown, durationMs: number): SpokenSegment[] | undefined {
  if (Value.Check(VerboseJson, value)) return ofVerboseJson(value);
  if (Value.Check(WhisperCppJson, value)) {
    return value.transcription.map(({ offsets, text }) => ({
      startMs: offsets.from,
      endMs: offsets.to,
      text,
    }));
  }
  if (Value.Check(TextOnly, value)) return [{ startMs: 0, endMs: durationMs, text: value.text }];
  return undefined;
}

function ofVerboseJson({ segments, words = [] }: Static<typeof VerboseJson>): SpokenSegment[] {
  return segments.map(({ start, end, text }) => {
    // Words have lost their punctuation there: they are of use for times only where their number is the text's.
    const within = words.filter((word) => word.start >= start - 0.01 && word.start < end);
    const written = text.trim().split(/\s+/);
    const timed =
      within.length === written.length
        ? within.map((word, index) => ({
            startMs: word.start * 1_000,
            endMs: word.end * 1_000,
            text: written[index]!,
          }))
        : [];
    return { startMs: start * 1_000, endMs: end * 1_000, text, ...(timed.length > 0 && { words: timed }) };
  });
}

/** Segments of what a program wrote: JSON as above, WebVTT, SRT; `undefined` where it is none of them. */
export function segmentsOfText(text: string, durationMs: number): SpokenSegment[] | undefined {
  const trimmed = text.replace(/^\uFEFF/, '').trim();
  if (trimmed.startsWith('{')) {
    try {
      return segmentsOfJson(JSON.parse(trimmed), durationMs);
    } catch {
      return undefined;
    }
  }
  const cues = parseTimedText(trimmed);
  // A file with a header only, or nothing at all, says that nobody spoke.
  return cues.length > 0 || trimmed === '' || trimmed.startsWith('WEBVTT') ? cues : undefined;
}

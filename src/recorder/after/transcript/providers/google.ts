/** Google Cloud Speech-to-Text v1, `speech:recognize`. */
import { readFile } from 'node:fs/promises';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { MeetError } from '../../../../protocol/errors.ts';
import { withRegion } from '../language.ts';
import { SPEECH_RATE, type SpokenSegment, type Transcriber } from '../types.ts';
import { postJson } from './http.ts';

export interface GoogleOptions {
  readonly url?: string | undefined;
  /** An API key. */
  readonly key?: string | undefined;
  /** An OAuth access token, in place of a key. */
  readonly token?: string | undefined;
  readonly model?: string | undefined;
  readonly language?: string | undefined;
}

export const GOOGLE_URL = 'https://speech.googleapis.com';
/** What is sent within the request may have a minute; longer sound would have to be in Google's own storage. */
const PIECE_MS = 55_000;
const PAUSE_MS = 2_000;

const Duration = Type.String({ pattern: '^\\d+(\\.\\d+)?s$' });
const Word = Type.Object({ startTime: Type.Optional(Duration), endTime: Duration, word: Type.String() });
const Answer = Type.Object({
  results: Type.Optional(
    Type.Array(
      Type.Object({
        alternatives: Type.Optional(
          Type.Array(
            Type.Object({ transcript: Type.Optional(Type.String()), words: Type.Optional(Type.Array(Word)) }),
          ),
        ),
      }),
    ),
  ),
});

export function googleTranscriber({
  url = GOOGLE_URL,
  key,
  token,
  model,
  language,
}: GoogleOptions): Transcriber {
  const name = `Google Speech${model === undefined ? '' : ` (${model})`}`;
  const endpoint = new URL('/v1/speech:recognize', url);
  if (key !== undefined) endpoint.searchParams.set('key', key);
  return {
    name,
    audio: 'flac',
    maximumMs: PIECE_MS,
    pauseMs: PAUSE_MS,
    concurrency: 2,
    language,
    transcribe: async ({ path }, signal) => {
      const body = {
        config: {
          encoding: 'FLAC',
          sampleRateHertz: SPEECH_RATE,
          // It has to be told, and guesses nothing.
          languageCode: withRegion(language ?? 'en'),
          enableWordTimeOffsets: true,
          enableAutomaticPunctuation: true,
          ...(model === undefined ? {} : { model }),
        },
        audio: { content: await readFile(path, 'base64') },
      };
      const answer = await postJson({
        provider: name,
        url: endpoint.href,
        headers: {
          'content-type': 'application/json',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
        signal,
      });
      if (Value.Check(Answer, answer)) return (answer.results ?? []).flatMap(segmentsOf);
      throw new MeetError('transcription-failed', `${name} answered with something that is no transcript.`);
    },
  };
}

function segmentsOf({
  alternatives = [],
}: NonNullable<Type.Static<typeof Answer>['results']>[number]): SpokenSegment[] {
  const [best] = alternatives;
  if (!best?.words?.length) return [];
  const ms = (duration = '0s') => Number(duration.slice(0, -1)) * 1_000;
  const words = best.words.map(({ startTime, endTime, word }) => ({
    startMs: ms(startTime),
    endMs: ms(endTime),
    text: word,
  }));
  return [
    {
      startMs: words[0]!.startMs,
      endMs: words.at(-1)!.endMs,
      text: best.transcript ?? words.map(({ text }) => text).join(' '),
      words,
    },
  ];
}

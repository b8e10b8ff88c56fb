/** OpenAI's transcription endpoint, and every server that has the same. */
import { openAsBlob } from 'node:fs';
import { FormData } from 'undici';
import { MeetError } from '../../../../protocol/errors.ts';
import type { Transcriber } from '../types.ts';
import { segmentsOfJson } from './answer.ts';
import { postJson } from './http.ts';

export interface OpenAiOptions {
  /** Up to and with `/v1`, or the whole address of the endpoint. */
  readonly url: string;
  readonly key?: string | undefined;
  readonly model: string;
  readonly language?: string | undefined;
}

export const OPENAI_URL = 'https://api.openai.com/v1';
export const OPENAI_MODEL = 'whisper-1';
/** 25 MB are taken, which as FLAC is about half an hour of speech; long answers are more often cut off. */
const PIECE_MS = 600_000;
/** Models that give a text without times get pieces short enough for the times to be about right. */
const UNTIMED_PIECE_MS = 30_000;
const PAUSE_MS = 5_000;

export function openAiTranscriber({ url, key, model, language }: OpenAiOptions): Transcriber {
  const name = `${model} at ${new URL(url).host}`;
  const endpoint = /\/transcriptions\/?$/.test(url) ? url : `${url.replace(/\/+$/, '')}/audio/transcriptions`;
  const isTimed = !/^gpt-/.test(model);
  return {
    name,
    audio: 'flac',
    maximumMs: isTimed ? PIECE_MS : UNTIMED_PIECE_MS,
    pauseMs: isTimed ? PAUSE_MS : 1_000,
    concurrency: 2,
    language,
    transcribe: async ({ path, durationMs }, signal) => {
      const form = new FormData();
      form.set('file', await openAsBlob(path, { type: 'audio/flac' }), 'speech.flac');
      form.set('model', model);
      if (language !== undefined) form.set('language', language.split('-')[0]!);
      form.set('response_format', isTimed ? 'verbose_json' : 'json');
      if (isTimed) form.append('timestamp_granularities[]', 'segment');
      const answer = await postJson({
        provider: name,
        url: endpoint,
        headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
        body: form,
        signal,
      });
      const segments = segmentsOfJson(answer, durationMs);
      if (segments) return segments;
      throw new MeetError('transcription-failed', `${name} answered with something that is no transcript.`);
    },
  };
}

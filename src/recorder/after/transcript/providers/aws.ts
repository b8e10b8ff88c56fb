/**
 * AWS Transcribe, by its jobs. They read from S3 only; its streams take sound hardly faster than it was spoken, and
 * would keep a process for as long as the meeting was.
 */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import {
  GetTranscriptionJobCommand,
  type LanguageCode,
  StartTranscriptionJobCommand,
  TranscribeClient,
  TranscribeServiceException,
  type TranscriptionJob,
} from '@aws-sdk/client-transcribe';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { request } from 'undici';
import { networkReason } from '../../../../client/rest.ts';
import { createS3Client, type S3Credentials } from '../../../../objects/client.ts';
import { parseObjectLocation } from '../../../../objects/location.ts';
import { withTemporaryObject } from '../../../../objects/temporary.ts';
import { MeetError } from '../../../../protocol/errors.ts';
import { withRegion } from '../language.ts';
import type { SpokenSegment, SpokenWord, Transcriber } from '../types.ts';

export interface AwsOptions {
  /** `s3://bucket/prefix?region=…`; Transcribe is used in the same region. */
  readonly bucket: string;
  /** In place of the region's endpoint. */
  readonly url?: string | undefined;
  readonly language?: string | undefined;
  /** Without them the SDK looks where it always does. */
  readonly credentials?: S3Credentials | undefined;
  /** Time between two looks at a job, milliseconds. */
  readonly pollMs?: number;
}

const NAME = 'AWS Transcribe';
/** It takes four hours, and each job costs a quarter of a minute at least: so one job an hour of a track. */
const PIECE_MS = 3_600_000;
const PAUSE_MS = 600_000;
const POLL_MS = 5_000;

const Alternatives = Type.Array(Type.Object({ content: Type.String() }));
const Transcript = Type.Object({
  results: Type.Object({
    items: Type.Array(
      Type.Object({
        type: Type.String(),
        start_time: Type.Optional(Type.String()),
        end_time: Type.Optional(Type.String()),
        alternatives: Alternatives,
      }),
    ),
  }),
});

/** @throws MeetError `bad-config` for a bucket that is none */
export function awsTranscriber(options: AwsOptions): Transcriber {
  const { url, language, credentials, pollMs = POLL_MS } = options;
  const location = parseObjectLocation(options.bucket);
  if (location.kind !== 's3')
    throw new MeetError('bad-config', `${options.bucket} is no s3:// URL, which ${NAME} could read from.`);
  const transcribe = new TranscribeClient({
    ...(url === undefined ? {} : { endpoint: url }),
    ...(location.region === undefined ? {} : { region: location.region }),
    ...(credentials === undefined ? {} : { credentials }),
  });
  const s3 = createS3Client(location, { credentials });
  return {
    name: NAME,
    audio: 'flac',
    maximumMs: PIECE_MS,
    pauseMs: PAUSE_MS,
    concurrency: 4,
    language,
    transcribe: async ({ path }, signal) => {
      const job = `meet-${randomUUID()}`;
      const object = {
        bucket: location.bucket,
        key: `${location.prefix}${job}.flac`,
        data: await readFile(path),
      };
      return await withTemporaryObject(s3, object, async () => {
        const media = `s3://${object.bucket}/${object.key}`;
        const finished = await runJob(transcribe, { job, media, language, pollMs, signal });
        return segmentsOf(await fetchTranscript(finished, signal));
      });
    },
  };
}

interface Job {
  readonly job: string;
  readonly media: string;
  readonly language: string | undefined;
  readonly pollMs: number;
  readonly signal: AbortSignal | undefined;
}

async function runJob(client: TranscribeClient, { job, media, language, pollMs, signal }: Job) {
  const abort = signal === undefined ? {} : { abortSignal: signal };
  try {
    await client.send(
      new StartTranscriptionJobCommand({
        TranscriptionJobName: job,
        Media: { MediaFileUri: media },
        MediaFormat: 'flac',
        ...(language === undefined
          ? { IdentifyLanguage: true }
          : { LanguageCode: withRegion(language) as LanguageCode }),
      }),
      abort,
    );
    for (;;) {
      const answer = await client.send(new GetTranscriptionJobCommand({ TranscriptionJobName: job }), abort);
      const { TranscriptionJobStatus: status, FailureReason: reason } = answer.TranscriptionJob ?? {};
      if (status === 'COMPLETED') return answer.TranscriptionJob!;
      if (status === 'FAILED') {
        throw new MeetError(
          'transcription-refused',
          `${NAME} could not use the speech: ${reason ?? 'no reason given'}.`,
        );
      }
      await wait(pollMs, undefined, signal && { signal });
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw fault(error);
  }
}

async function fetchTranscript({ Transcript: place }: TranscriptionJob, signal?: AbortSignal) {
  try {
    const reply = await request(place?.TranscriptFileUri ?? '', { signal: signal ?? null });
    const value: unknown = await reply.body.json();
    if (reply.statusCode === 200 && Value.Check(Transcript, value)) return value;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new MeetError(
      'transcription-failed',
      `The transcript cannot be fetched: ${networkReason(cause)}.`,
      { cause },
    );
  }
  throw new MeetError('transcription-failed', `${NAME} answered with something that is no transcript.`);
}

/** Words with their punctuation, as one segment: its sentences have no times of their own. */
function segmentsOf({ results }: Static<typeof Transcript>): SpokenSegment[] {
  const words: SpokenWord[] = [];
  for (const { type, start_time: start, end_time: end, alternatives } of results.items) {
    const text = alternatives[0]?.content ?? '';
    const last = words.at(-1);
    if (type === 'punctuation' && last) words[words.length - 1] = { ...last, text: last.text + text };
    else if (start !== undefined && end !== undefined)
      words.push({ startMs: Number(start) * 1_000, endMs: Number(end) * 1_000, text });
  }
  const [first] = words;
  if (!first) return [];
  return [
    {
      startMs: first.startMs,
      endMs: words.at(-1)!.endMs,
      text: words.map(({ text }) => text).join(' '),
      words,
    },
  ];
}

function fault(error: unknown): MeetError {
  if (error instanceof MeetError) return error;
  const known = error instanceof TranscribeServiceException ? error : undefined;
  const status = known?.$metadata.httpStatusCode;
  const name = error instanceof Error ? error.name : '';
  const mayPass =
    known === undefined
      ? name !== 'CredentialsProviderError'
      : status === undefined || status >= 500 || status === 429 || /LimitExceeded|Throttling/.test(name);
  const reason = known?.message ?? networkReason(error);
  return new MeetError(
    mayPass ? 'transcription-failed' : 'transcription-refused',
    `${NAME} refused the speech: ${reason.replace(/\.$/, '')}.`,
    { cause: error },
  );
}

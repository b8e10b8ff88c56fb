import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { awsTranscriber } from '../../../../../src/recorder/after/transcript/providers/aws.ts';
import type { SpeechFile } from '../../../../../src/recorder/after/transcript/types.ts';
import { runFfmpeg } from '../../../../support/barcode-ffmpeg.ts';
import { startS3, type TestS3 } from '../../../../support/s3.ts';
import { type Answer, type ProviderServer, soundOf, startProvider } from './provider-server.ts';

let s3: TestS3;
let client: S3Client;
let folder: string;
let speech: SpeechFile;
let service: ProviderServer;
/** What the service says of jobs, one look after the other. */
let looks: Answer[] = [];
let heard: Awaited<ReturnType<typeof soundOf>> | undefined;

beforeAll(async () => {
  s3 = await startS3();
  client = new S3Client({
    endpoint: s3.endpoint,
    region: 'eu-central-1',
    credentials: s3.credentials,
    forcePathStyle: true,
  });
  folder = await mkdtemp(join(tmpdir(), 'meet-aws-'));
  speech = { path: join(folder, 'a.flac'), durationMs: 1000 };
  await runFfmpeg(['-f', 'lavfi', '-i', 'sine=d=1', '-ar', '16000', '-ac', '1', speech.path]);
  service = await startProvider(async ({ headers, body, path }) => {
    if (path === '/transcript.json') return { body: transcript };
    const target = headers['x-amz-target'];
    const asked = JSON.parse(body.toString()) as { Media: { MediaFileUri: string } };
    if (target === 'Transcribe.GetTranscriptionJob') return looks.shift() ?? { status: 500, body: {} };
    // The service reads the object itself.
    const [, bucket, key] = /^s3:\/\/([^/]+)\/(.*)$/.exec(asked.Media.MediaFileUri) ?? [];
    const object = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
    heard = await soundOf(Buffer.from(await object.Body!.transformToByteArray()));
    return job('IN_PROGRESS');
  });
});
afterAll(async () => {
  client.destroy();
  await service.close();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

const job = (status: string, more: object = {}): Answer => ({
  headers: { 'content-type': 'application/x-amz-json-1.1' },
  body: { TranscriptionJob: { TranscriptionJobStatus: status, ...more } },
});
const transcript = {
  results: {
    items: [
      { type: 'pronunciation', start_time: '0.1', end_time: '0.4', alternatives: [{ content: 'Hello' }] },
      { type: 'punctuation', alternatives: [{ content: ',' }] },
      { type: 'pronunciation', start_time: '0.5', end_time: '0.9', alternatives: [{ content: 'Ben' }] },
    ],
  },
};

const open = () =>
  awsTranscriber({
    bucket: `s3://${s3.bucket}/speech?endpoint=${encodeURIComponent(s3.endpoint)}&region=eu-central-1&path-style=1`,
    url: service.url,
    credentials: s3.credentials,
    language: 'de',
    pollMs: 1,
  });

async function leftInBucket(): Promise<number> {
  const { KeyCount } = await client.send(new ListObjectsV2Command({ Bucket: s3.bucket }));
  return KeyCount ?? 0;
}

test('puts the speech into the bucket, waits for the job, and leaves nothing behind', async () => {
  const done = { Transcript: { TranscriptFileUri: `${service.url}/transcript.json` } };
  looks = [job('QUEUED'), job('IN_PROGRESS'), job('COMPLETED', done)];
  expect(await open().transcribe(speech)).toEqual([
    {
      startMs: 100,
      endMs: 900,
      text: 'Hello, Ben',
      words: [
        { startMs: 100, endMs: 400, text: 'Hello,' },
        { startMs: 500, endMs: 900, text: 'Ben' },
      ],
    },
  ]);
  expect(heard).toEqual({ codec: 'flac', rate: 16_000, seconds: 1 });
  const start = service.requests.find(
    ({ headers }) => headers['x-amz-target'] === 'Transcribe.StartTranscriptionJob',
  )!;
  expect(start.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=S3RVER\/\d+\/eu-central-1\/transcribe\//,
  );
  expect(JSON.parse(start.body.toString())).toMatchObject({ MediaFormat: 'flac', LanguageCode: 'de-DE' });
  expect(await leftInBucket()).toBe(0);
});

test('says why a job failed', async () => {
  looks = [job('FAILED', { FailureReason: 'The media is too short.' })];
  await expect(open().transcribe(speech)).rejects.toMatchObject({
    code: 'transcription-refused',
    message: expect.stringContaining('The media is too short.') as string,
  });
  expect(await leftInBucket()).toBe(0);
});

test('a limit passes, a refused key does not', async () => {
  const fault = (name: string, status: number): Answer => ({
    ...{ status, headers: { 'content-type': 'application/x-amz-json-1.1' } },
    body: { __type: name, message: `${name}.` },
  });
  looks = [fault('LimitExceededException', 400)];
  await expect(open().transcribe(speech)).rejects.toMatchObject({ code: 'transcription-failed' });
  looks = [fault('AccessDeniedException', 400)];
  await expect(open().transcribe(speech)).rejects.toMatchObject({ code: 'transcription-refused' });
});

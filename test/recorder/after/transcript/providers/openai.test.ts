import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAiTranscriber } from '../../../../../src/recorder/after/transcript/providers/openai.ts';
import type { SpeechFile } from '../../../../../src/recorder/after/transcript/types.ts';
import { runFfmpeg } from '../../../../support/barcode-ffmpeg.ts';
import { type Answer, formOf, type ProviderServer, soundOf, startProvider } from './provider-server.ts';

let folder: string;
let speech: SpeechFile;
const servers: ProviderServer[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-openai-'));
  speech = { path: join(folder, 'a.flac'), durationMs: 2000 };
  await runFfmpeg(['-f', 'lavfi', '-i', 'sine=d=2', '-ar', '16000', '-ac', '1', speech.path]);
});
afterAll(async () => {
  for (const server of servers) await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function server(answer: Answer): Promise<ProviderServer> {
  const started = await startProvider(() => answer);
  servers.push(started);
  return started;
}

test('sends sound with model and language, and reads segments and words', async () => {
  const { url, requests } = await server({
    body: {
      task: 'transcribe',
      text: 'Hello there. Bye.',
      segments: [
        { id: 0, start: 0.5, end: 1.25, text: ' Hello there.' },
        { id: 1, start: 1.5, end: 2, text: ' Bye.' },
      ],
      words: [
        { word: 'Hello', start: 0.5, end: 0.9 },
        { word: 'there', start: 0.95, end: 1.25 },
        { word: 'Bye', start: 1.5, end: 2 },
      ],
    },
  });
  const transcriber = openAiTranscriber({
    url: `${url}/v1/`,
    key: 'k',
    model: 'whisper-1',
    language: 'de-AT',
  });
  expect(await transcriber.transcribe(speech)).toEqual([
    {
      startMs: 500,
      endMs: 1_250,
      text: ' Hello there.',
      words: [
        { startMs: 500, endMs: 900, text: 'Hello' },
        { startMs: 950, endMs: 1_250, text: 'there.' },
      ],
    },
    { startMs: 1_500, endMs: 2_000, text: ' Bye.', words: [{ startMs: 1_500, endMs: 2_000, text: 'Bye.' }] },
  ]);
  const [request] = requests;
  expect(request).toMatchObject({ method: 'POST', path: '/v1/audio/transcriptions' });
  expect(request!.headers.authorization).toBe('Bearer k');
  const form = await formOf(request!);
  expect(Object.fromEntries([...form].filter(([name]) => name !== 'file'))).toEqual({
    model: 'whisper-1',
    language: 'de',
    response_format: 'verbose_json',
    'timestamp_granularities[]': 'segment',
  });
  const file = form.get('file') as File;
  expect(file.name).toBe('speech.flac');
  expect(await soundOf(file)).toEqual({ codec: 'flac', rate: 16_000, seconds: 2 });
});

test('a model that gives no times is asked for a text, in short pieces', async () => {
  const { url, requests } = await server({ body: { text: 'Hello.' } });
  const transcriber = openAiTranscriber({ url, model: 'gpt-4o-transcribe' });
  expect(transcriber.maximumMs).toBe(30_000);
  expect(await transcriber.transcribe(speech)).toEqual([{ startMs: 0, endMs: 2_000, text: 'Hello.' }]);
  expect((await formOf(requests[0]!)).get('response_format')).toBe('json');
  expect(requests[0]!.headers.authorization).toBeUndefined();
});

test.each([
  [
    401,
    { error: { message: 'Incorrect API key provided.' } },
    'transcription-refused',
    'Incorrect API key provided.',
  ],
  [400, { error: 'bad audio' }, 'transcription-refused', 'bad audio.'],
  [429, { error: { message: 'slow down' } }, 'transcription-failed', 'slow down.'],
  [503, 'upstream', 'transcription-failed', 'HTTP status 503.'],
  [200, 'hello', 'transcription-failed', 'did not answer with JSON.'],
  [200, { hello: 1 }, 'transcription-failed', 'something that is no transcript.'],
])('says what status %i means', async (status, body, code, words) => {
  const { url } = await server({ status, body, headers: { 'retry-after': '7' } });
  const failure = openAiTranscriber({ url, model: 'm' }).transcribe(speech);
  await expect(failure).rejects.toMatchObject({ code, message: expect.stringContaining(words) as string });
  if (status === 429) await expect(failure).rejects.toMatchObject({ retryAfter: 7 });
});

test('a connection that closes may be better the next time', async () => {
  const { url } = await server({ body: undefined });
  await expect(openAiTranscriber({ url, model: 'm' }).transcribe(speech)).rejects.toMatchObject({
    code: 'transcription-failed',
    message: expect.stringMatching(/No answer from m at 127\.0\.0\.1:\d+: .*closed/) as string,
  });
});

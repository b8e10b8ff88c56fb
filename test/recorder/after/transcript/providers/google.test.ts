import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openTranscriber } from '../../../../../src/recorder/after/transcript/providers/open.ts';
import type { SpeechFile } from '../../../../../src/recorder/after/transcript/types.ts';
import { runFfmpeg } from '../../../../support/barcode-ffmpeg.ts';
import { soundOf, startProvider } from './provider-server.ts';

async function makeSpeech(): Promise<SpeechFile> {
  const folder = await mkdtemp(join(tmpdir(), 'meet-google-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'a.flac');
  await runFfmpeg(['-f', 'lavfi', '-i', 'sine=d=1', '-ar', '16000', '-ac', '1', path]);
  return { path, durationMs: 1_000 };
}

test('sends sound within the request, and reads words with their times', async () => {
  const words = [
    { endTime: '0.400s', word: 'Hello,' },
    { startTime: '0.400s', endTime: '1s', word: 'Ben.' },
  ];
  const server = await startProvider(() => ({
    body: { results: [{ alternatives: [{ transcript: 'Hello, Ben.', words }] }, { alternatives: [{}] }] },
  }));
  onTestFinished(server.close);
  const google = await openTranscriber({ kind: 'google', url: server.url, key: 'a b', language: 'en' });
  expect(await google.transcribe(await makeSpeech())).toEqual([
    {
      startMs: 0,
      endMs: 1_000,
      text: 'Hello, Ben.',
      words: [
        { startMs: 0, endMs: 400, text: 'Hello,' },
        { startMs: 400, endMs: 1_000, text: 'Ben.' },
      ],
    },
  ]);
  const [request] = server.requests;
  expect(request).toMatchObject({ method: 'POST', path: '/v1/speech:recognize?key=a+b' });
  const { config, audio } = JSON.parse(request!.body.toString()) as {
    config: object;
    audio: { content: string };
  };
  expect(config).toMatchObject({ encoding: 'FLAC', sampleRateHertz: 16_000, languageCode: 'en-US' });
  expect(await soundOf(Buffer.from(audio.content, 'base64'))).toEqual({
    codec: 'flac',
    rate: 16_000,
    seconds: 1,
  });
});

test('takes a token, and an answer without words as silence', async () => {
  const server = await startProvider(() => ({ body: {} }));
  onTestFinished(server.close);
  const google = await openTranscriber({ kind: 'google', url: server.url, key: 'Bearer ya29.x' });
  expect(await google.transcribe(await makeSpeech())).toEqual([]);
  expect(server.requests[0]).toMatchObject({ path: '/v1/speech:recognize' });
  expect(server.requests[0]!.headers.authorization).toBe('Bearer ya29.x');
});

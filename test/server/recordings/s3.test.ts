/** Recordings that are uploaded to the server's S3. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { RecordingUrlReply } from '../../../src/protocol/recording.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, rest } from '../../support/signaling.ts';
import { call, recorderCommand as command, seen, until } from './recorders.ts';

let s3: TestS3;
let server: TestServer;
beforeAll(async () => {
  s3 = await startS3();
  const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = s3.credentials;
  const env = { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  // Where the SDK of the server itself looks.
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const objectsUrl = `s3://${s3.bucket}/meet?endpoint=${s3.endpoint}&region=us-east-1&pathStyle=1`;
  server = await startTestServer({ objectsUrl, recordings: { command, env } });
});
afterAll(async () => {
  await server?.close();
  vi.unstubAllEnvs();
  await s3?.stop();
});

test('a recording is had from where it was uploaded, and deleted there', async () => {
  const { meeting, hostToken: token } = await createMeeting(server.url);
  const guest = await connect(server.url, meeting.id, 'Bob');
  const { body } = await call(server, 'POST', meeting.id, token);
  const id = body.recording?.id ?? '';
  await seen(guest, 'recording');
  await call(server, 'DELETE', meeting.id, token);
  const ready = await until(server, id, token, 'ready');
  expect(ready.files.map(({ name }) => name)).toEqual(['recording.mp4', 'chapters.vtt', 'starts.jsonl']);

  // What is there no longer here is still there.
  await rm(join(server.dataDir, 'recordings', id), { recursive: true });
  const path = `/recordings/${id}`;
  const { body: link } = await rest<RecordingUrlReply>(server.url, 'GET', `${path}/url`, { token });
  const reply = await fetch(link.url);
  expect([reply.redirected, new URL(reply.url).origin, await reply.text()]).toEqual([
    true,
    s3.endpoint,
    'media ',
  ]);

  const stored = async () => {
    const keys: string[] = [];
    for await (const { key } of server.objects.list('recordings/')) keys.push(key);
    return keys.sort();
  };
  expect(await stored()).toEqual([`recordings/${id}/recording.mp4`, `recordings/${id}/tracks/1.mkv`]);
  expect((await rest(server.url, 'DELETE', path, { token })).status).toBe(204);
  expect(await stored()).toEqual([]);
});

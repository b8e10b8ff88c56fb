/** What is sent to a webhook, and that it arrives whatever happens to the receiver or the server. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { RecordingWebhook } from '../../../src/protocol/recording.ts';
import { startTestServer } from '../../support/server.ts';
import { connect, createMeeting } from '../../support/signaling.ts';
import { call, recorderCommand as command, seen, until } from './recorders.ts';

const SECRET = 'a secret of some length';
const cleanup: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

interface Received {
  readonly event: RecordingWebhook;
  readonly id: string;
  readonly timestamp: number;
  readonly isSigned: boolean;
}

/** Takes what comes, and answers as `answer` says: a status, or none at all. */
async function receiver(answer: (nth: number) => number | 'cut') {
  const received: Received[] = [];
  const server = createServer(async (request, reply) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const { 'x-meet-timestamp': timestamp, 'x-meet-signature': signature, 'x-meet-id': id } = request.headers;
    const expected = createHmac('sha256', SECRET).update(`${timestamp}.${body}`).digest('hex');
    received.push({
      event: JSON.parse(body),
      id: String(id),
      timestamp: Number(timestamp) * 1_000,
      isSigned: signature === `sha256=${expected}`,
    });
    const status = answer(received.length);
    if (status === 'cut') request.socket.destroy();
    else reply.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.push(() => new Promise((resolve) => server.close(resolve)));
  const { port } = server.address() as AddressInfo;
  return { received, url: `http://127.0.0.1:${port}/hook` };
}

async function server(
  webhookUrl: string,
  options: { dataDir?: string; webhookWaitMs?: number; env?: Record<string, string> } = {},
) {
  const { dataDir, webhookWaitMs = 50, env = {} } = options;
  const started = await startTestServer({
    ...(dataDir === undefined ? {} : { dataDir }),
    recordings: { command, env, webhookUrl, webhookSecret: SECRET, webhookWaitMs },
  });
  cleanup.push(() => started.close());
  return started;
}

/** Records something, whole; answers the recording's id. */
async function record(on: { url: string }): Promise<string> {
  const { meeting, hostToken } = await createMeeting(on.url, { title: 'Weekly' });
  const guest = await connect(on.url, meeting.id, 'Bob');
  const { body } = await call(on, 'POST', meeting.id, hostToken);
  await seen(guest, 'recording');
  await call(on, 'DELETE', meeting.id, hostToken);
  return (await until(on, body.recording?.id ?? '', hostToken, 'ready')).id;
}

test('every event is sent, signed, until it is taken, and not again', async () => {
  // The first calls meet a receiver that fails in one way or another.
  const { received, url } = await receiver((nth) => ([500, 'cut', 429] as const)[nth - 1] ?? 204);
  const id = await record(await server(url));
  const types = ['recording.started', 'recording.stopped', 'recording.ready'];
  await expect.poll(() => received.length, { timeout: 10_000 }).toBe(3 + types.length);
  for (const { event, id: name, timestamp, isSigned } of received) {
    expect(isSigned).toBe(true);
    expect(name).toBe(event.id);
    expect(event.id).toBe(`${id}.${event.type}`);
    expect(event.recording).toMatchObject({ id, title: 'Weekly', access: { scope: 'hosts' } });
    expect(Math.abs(timestamp - Date.now())).toBeLessThan(60_000);
  }
  expect([...new Set(received.map(({ event }) => event.type))].sort()).toEqual([...types].sort());
  const ready = received.find(({ event }) => event.type === 'recording.ready')?.event.recording;
  expect(ready).toMatchObject({ status: 'ready', durationMs: 1_000 });
});

test('what was not taken is sent by the server that comes after', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'meet-webhook-'));
  cleanup.push(() => rm(dataDir, { recursive: true, force: true }));
  let works = false;
  const { received, url } = await receiver(() => (works ? 200 : 503));
  const before = await server(url, { dataDir, webhookWaitMs: 500 });
  await record(before);
  await expect.poll(() => received.length).toBeGreaterThanOrEqual(3);
  await before.close();
  works = true;
  const tried = received.length;
  await server(url, { dataDir });
  await expect
    .poll(
      () =>
        received
          .slice(tried)
          .map(({ event }) => event.type)
          .sort(),
      { timeout: 15_000 },
    )
    .toEqual(['recording.ready', 'recording.started', 'recording.stopped']);
});

test('a recording that fails says so', async () => {
  const { received, url } = await receiver(() => 200);
  const on = await server(url, { env: { MEET_TEST_RECORDER: 'die-at-start' } });
  const { meeting, hostToken } = await createMeeting(on.url);
  await call(on, 'POST', meeting.id, hostToken);
  await call(on, 'DELETE', meeting.id, hostToken);
  await expect.poll(() => received.map(({ event }) => event.type)).toEqual(['recording.failed']);
  expect(received[0]?.event.recording).toMatchObject({
    status: 'failed',
    error: 'It was stopped before anything was recorded.',
  });
});

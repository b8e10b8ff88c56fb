/** Recorders and servers that die while a meeting is recorded. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { freePort } from '../../support/free-port.ts';
import { type ServerProcess, startServerProcess, startTestServer } from '../../support/server.ts';
import { connect, createMeeting, rest } from '../../support/signaling.ts';
import { call, recorderCommand as command, recordingOf, seen, startsOf, until } from './recorders.ts';

const cleanup: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const clean of cleanup.splice(0).reverse()) await clean();
});

async function server(recordings: object = {}) {
  const started = await startTestServer({ recordings: { command, ...recordings } });
  cleanup.push(() => started.close());
  return started;
}

test('a recorder that is killed is started again in the same folder, and hosts are told', async () => {
  const on = await server();
  const { meeting, hostToken } = await createMeeting(on.url);
  const host = await connect(on.url, meeting.id, 'Ada', hostToken);
  const guest = await connect(on.url, meeting.id, 'Bob');
  const { body } = await call(on, 'POST', meeting.id, hostToken, { layout: 'speaker' });
  const id = body.recording?.id ?? '';
  await seen(guest, 'recording');
  await call(on, 'PATCH', meeting.id, hostToken, { layout: 'spotlight', paused: true });
  await expect.poll(async () => (await recordingOf(on, id, hostToken)).pauses).toHaveLength(1);

  const [first] = await startsOf(on.dataDir, id);
  process.kill(first?.pid ?? 0, 'SIGKILL');
  await expect
    .poll(() => startsOf(on.dataDir, id), { timeout: 10_000 })
    .toMatchObject([
      { layout: 'speaker' },
      // It goes on as it was told last.
      { layout: 'spotlight' },
    ]);
  const { payload } = await host.client.next('chat');
  expect(payload.messages).toMatchObject([
    { recipientId: host.id, content: expect.stringMatching(/^The recorder died and was started again/) },
  ]);
  // The one that died has given its place to the one that came after it.
  const recorders = async () => {
    const path = `/meetings/${meeting.id}/participants`;
    const reply = await rest<{ participants: { recorder?: boolean; state: string }[] }>(on.url, 'GET', path, {
      token: hostToken,
    });
    return reply.body.participants.filter(({ recorder }) => recorder).map(({ state }) => state);
  };
  await expect.poll(recorders, { timeout: 10_000 }).toEqual(['joined']);
  await seen(guest, 'recovering');
  await seen(guest, 'paused');
  await call(on, 'PATCH', meeting.id, hostToken, { paused: false });
  await seen(guest, 'recording');
  await call(on, 'DELETE', meeting.id, hostToken);
  await seen(guest, undefined);
  const ready = await until(on, id, hostToken, 'ready');
  expect(ready).toMatchObject({ layout: 'spotlight', error: null });
  const { body: link } = await rest<{ url: string }>(on.url, 'GET', `/recordings/${id}/url`, {
    token: hostToken,
  });
  expect(await (await fetch(link.url)).text()).toBe('media media ');
});

test('a recorder that dies again and again is given up, with what it said last', async () => {
  const on = await server({ env: { MEET_TEST_RECORDER: 'die-at-start' } });
  const { meeting, hostToken } = await createMeeting(on.url);
  const guest = await connect(on.url, meeting.id, 'Bob');
  const { body } = await call(on, 'POST', meeting.id, hostToken);
  await seen(guest, 'recovering');
  await seen(guest, undefined);
  expect(await recordingOf(on, body.recording?.id ?? '', hostToken)).toMatchObject({
    status: 'failed',
    error: 'The recorder died 6 times; last it said: It does not start.',
  });
  expect(await startsOf(on.dataDir, body.recording?.id ?? '')).toHaveLength(6);
});

test('a recorder that cannot be started is an error, and nothing is left of it', async () => {
  const on = await server({ command: ['/nonexistent/meet'] });
  const { meeting, hostToken } = await createMeeting(on.url);
  for (const _ of [1, 2]) {
    expect(await call(on, 'POST', meeting.id, hostToken)).toMatchObject({
      status: 500,
      body: { error: { code: 'recorder-failed' } },
    });
  }
  expect((await call(on, 'GET', meeting.id, hostToken)).body).toEqual({ recording: null });
});

test('a recorder that does not listen is told by a signal to end', async () => {
  const on = await server({ env: { MEET_TEST_RECORDER: 'deaf' }, stopMs: 100 });
  const { meeting, hostToken } = await createMeeting(on.url);
  const guest = await connect(on.url, meeting.id, 'Bob');
  const { body } = await call(on, 'POST', meeting.id, hostToken);
  await seen(guest, 'recording');
  await call(on, 'DELETE', meeting.id, hostToken);
  await seen(guest, 'stopping');
  await until(on, body.recording?.id ?? '', hostToken, 'ready');
});

test('a full disk is told to everybody, and in words to hosts', async () => {
  const on = await server({ env: { MEET_TEST_RECORDER: 'disk-full' } });
  const { meeting, hostToken } = await createMeeting(on.url);
  const host = await connect(on.url, meeting.id, 'Ada', hostToken);
  const guest = await connect(on.url, meeting.id, 'Bob');
  await call(on, 'POST', meeting.id, hostToken);
  await guest.client.state(({ recording }) => recording?.diskFull === true);
  const { payload } = await host.client.next('chat');
  expect(payload.messages[0]?.content).toMatch(/^There is no space left for the recording/);
  await call(on, 'DELETE', meeting.id, hostToken);
  await seen(guest, undefined);
});

/** A server that is killed and started again at the same address. */
async function mortal() {
  const dataDir = await mkdtemp(join(tmpdir(), 'meet-recordings-'));
  cleanup.push(() => rm(dataDir, { recursive: true, force: true }));
  const port = await freePort();
  const start = async (): Promise<ServerProcess> => {
    const started = await startServerProcess({ dataDir, port, recordings: { command } });
    cleanup.push(() => started.kill());
    return started;
  };
  return { dataDir, start };
}

test('a server that is killed finds its recorder again, which has gone on', async () => {
  const { dataDir, start } = await mortal();
  const before = await start();
  const { meeting, hostToken } = await createMeeting(before.url);
  const guest = await connect(before.url, meeting.id, 'Bob');
  const { body } = await call(before, 'POST', meeting.id, hostToken);
  const id = body.recording?.id ?? '';
  await seen(guest, 'recording');
  await before.kill();

  const after = await start();
  const again = await connect(after.url, meeting.id, 'Carol');
  expect(again.state.recording).toMatchObject({ id, state: 'recording' });
  expect((await call(after, 'POST', meeting.id, hostToken)).body.error?.code).toBe('recording-running');
  // The pipe to it is gone: it hears this by signaling.
  await call(after, 'PATCH', meeting.id, hostToken, { paused: true });
  await expect
    .poll(async () => (await recordingOf(after, id, hostToken)).pauses, { timeout: 15_000 })
    .toHaveLength(1);
  await call(after, 'DELETE', meeting.id, hostToken);
  await seen(again, undefined);
  await until(after, id, hostToken, 'ready');
  expect(await startsOf(dataDir, id)).toHaveLength(1);
}, 40_000);

test('a recorder that dies while there is no server is started again by the next one', async () => {
  const { dataDir, start } = await mortal();
  const before = await start();
  const { meeting, hostToken } = await createMeeting(before.url);
  const guest = await connect(before.url, meeting.id, 'Bob');
  const { body } = await call(before, 'POST', meeting.id, hostToken);
  const id = body.recording?.id ?? '';
  await seen(guest, 'recording');
  await before.kill();
  const [first] = await startsOf(dataDir, id);
  process.kill(first?.pid ?? 0, 'SIGKILL');

  const after = await start();
  const again = await connect(after.url, meeting.id, 'Carol');
  await expect.poll(() => startsOf(dataDir, id), { timeout: 10_000 }).toHaveLength(2);
  await seen(again, 'recording');
  await call(after, 'DELETE', meeting.id, hostToken);
  await until(after, id, hostToken, 'ready');
}, 40_000);

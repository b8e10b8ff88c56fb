/** Recordings as hosts run them, with a recorder process that joins and obeys but records no media. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RecordingInfo } from '../../../src/protocol/recording.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, rest } from '../../support/signaling.ts';
import { call, recorderCommand, recordingOf, recordingsOf, seen, startsOf, until } from './recorders.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ recordings: { command: recorderCommand, layout: 'speaker' } });
});
afterAll(() => server.close());

test('is started, paused, given another layout and stopped, and everybody sees it', async () => {
  const { meeting, hostToken } = await createMeeting(server.url, { title: 'Weekly' });
  const host = await connect(server.url, meeting.id, 'Ada', hostToken);
  const guest = await connect(server.url, meeting.id, 'Bob');
  expect(guest.state.recording).toBeNull();

  const started = await call(server, 'POST', meeting.id, hostToken, { pin: 'Ada', size: '640x360', fps: 15 });
  expect(started.status).toBe(201);
  expect(started.body.recording).toMatchObject({ state: 'starting', layout: 'speaker', pin: 'Ada' });
  const id = started.body.recording?.id ?? '';
  expect(await call(server, 'POST', meeting.id, hostToken)).toMatchObject({
    status: 409,
    body: { error: { code: 'recording-running' } },
  });
  for (const one of [host, guest]) await seen(one, 'recording');

  // The recorder is in the meeting, and is no participant like others.
  const { body } = await rest<{ participants: { name: string; role: string; recorder?: boolean }[] }>(
    server.url,
    'GET',
    `/meetings/${meeting.id}/participants`,
    { token: guest.token },
  );
  expect(body.participants.map(({ name, role, recorder }) => [name, role, recorder])).toEqual([
    ['Ada', 'host', undefined],
    ['Bob', 'participant', undefined],
    ['Recorder', 'participant', true],
  ]);

  const changed = await call(server, 'PATCH', meeting.id, hostToken, {
    layout: 'spotlight',
    pin: null,
    paused: true,
  });
  expect(changed.body.recording).toMatchObject({ state: 'paused', layout: 'spotlight' });
  expect(changed.body.recording).not.toHaveProperty('pin');
  await seen(guest, 'paused');
  // What is in the store is what the recorder has done.
  await expect.poll(async () => (await recordingOf(server, id, hostToken)).pauses).toHaveLength(1);
  expect((await host.client.request('action', { action: 'change-recording', paused: false })).type).toBe(
    'ok',
  );
  await seen(guest, 'recording');
  const late = await connect(server.url, meeting.id, 'Late');
  expect(late.state.recording).toMatchObject({ id, state: 'recording', layout: 'spotlight' });
  await expect
    .poll(async () => (await recordingOf(server, id, hostToken)).pauses)
    .toEqual([{ from: expect.any(Number), to: expect.any(Number) }]);

  const stopped = await call(server, 'DELETE', meeting.id, host.token);
  expect(stopped.body.recording).toMatchObject({ state: 'stopping' });
  for (const one of [host, guest, late]) await seen(one, undefined);
  expect(await call(server, 'DELETE', meeting.id, hostToken)).toMatchObject({
    status: 409,
    body: { error: { code: 'not-recording' } },
  });

  const ready = await until(server, id, hostToken, 'ready');
  expect(ready).toMatchObject<Partial<RecordingInfo>>({
    title: 'Weekly',
    layout: 'spotlight',
    durationMs: 1_000,
    error: null,
    steps: [
      { name: 'chapters', state: 'done' },
      { name: 'transcript', state: 'skipped', error: 'No provider is configured.' },
    ],
  });
  expect(ready.files.map(({ name }) => name)).toEqual(['recording.mp4', 'chapters.vtt', 'starts.jsonl']);
  expect(ready.expiresAt).toBe((ready.endedAt ?? 0) + 365 * 86_400_000);
  const [start] = await startsOf(server.dataDir, id);
  expect(start).toMatchObject({ id, layout: 'speaker', pin: 'Ada', size: '640x360', fps: '15' });

  // A link to the host alone, that anybody who has it can follow.
  const { payload } = await host.client.next('chat', ({ payload: { messages } }) => messages.length > 0);
  expect(payload.messages[0]).toMatchObject({ senderName: 'Recorder', recipientId: host.id });
  const url = /http\S+/.exec(payload.messages[0]?.content ?? '')?.[0] ?? '';
  expect(await (await fetch(url)).text()).toBe('media ');
  await host.client.request('message', { content: 'the end' });
  const others = await guest.client.next('chat');
  expect(others.payload.messages.map(({ content }) => content)).toEqual(['the end']);

  // Another one may follow, and ends with the meeting.
  expect((await call(server, 'POST', meeting.id, hostToken)).status).toBe(201);
  await seen(guest, 'recording');
  await host.client.request('action', { action: 'end' });
  await expect
    .poll(async () => (await recordingsOf(server, meeting.id, hostToken)).map(({ status }) => status), {
      timeout: 10_000,
    })
    .toEqual(['ready', 'ready']);
});

test('that is stopped before it began has failed', async () => {
  const { meeting, hostToken } = await createMeeting(server.url);
  await call(server, 'POST', meeting.id, hostToken);
  expect((await rest(server.url, 'DELETE', `/meetings/${meeting.id}`, { token: hostToken })).status).toBe(
    204,
  );
  await expect
    .poll(() => recordingsOf(server, meeting.id, hostToken), { timeout: 10_000 })
    .toMatchObject([{ status: 'failed', error: 'It was stopped before anything was recorded.' }]);
});

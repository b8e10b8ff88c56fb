/** Recordings that nobody starts and nobody stops. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Action } from '../../../src/protocol/actions.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, type join, rest, SignalingClient } from '../../support/signaling.ts';
import { call, recorderCommand, recordingsOf, seen, until } from './recorders.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ recordings: { command: recorderCommand, emptyMs: 300 } });
});
afterAll(() => server.close());

test('a meeting that is to be recorded is so from the first participant to the last', async () => {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { recording: true } });
  expect((await call(server, 'GET', meeting.id, hostToken)).body).toEqual({ recording: null });
  const ann = await connect(server.url, meeting.id, 'Ann');
  await seen(ann, 'recording');
  const bob = await connect(server.url, meeting.id, 'Bob');
  expect(bob.state.recording).toMatchObject({ state: 'recording' });
  await ann.client.leave();
  await bob.client.leave();
  const [one, ...others] = await recordingsOf(server, meeting.id, hostToken);
  expect(others).toEqual([]);
  await until(server, one?.id ?? '', hostToken, 'ready');
});

test('one that is set to be recorded while people are in it is recorded at once', async () => {
  const { meeting, hostToken } = await createMeeting(server.url);
  const ann = await connect(server.url, meeting.id, 'Ann');
  expect(ann.state.recording).toBeNull();
  await rest(server.url, 'PATCH', `/meetings/${meeting.id}`, {
    token: hostToken,
    body: { settings: { recording: true } },
  });
  await seen(ann, 'recording');
  const end: Action = { action: 'end' };
  await rest(server.url, 'POST', `/meetings/${meeting.id}/actions`, { token: hostToken, body: end });
  const [one] = await recordingsOf(server, meeting.id, hostToken);
  await until(server, one?.id ?? '', hostToken, 'ready');
});

test('a recorder of a host’s own is seen as a recording, is let in and starts no meeting', async () => {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { waitingRoom: true } });
  const body = { displayName: 'My recorder', recorder: true };
  const path = `/meetings/${meeting.id}/join`;
  const refused = await rest<{ error: { code: string } }>(server.url, 'POST', path, { body });
  expect(refused.body.error.code).toBe('forbidden');
  const { body: joined } = await rest<Awaited<ReturnType<typeof join>>>(server.url, 'POST', path, {
    body,
    token: hostToken,
  });
  expect(joined.meeting.status).toBe('scheduled');
  expect(joined.participant).toMatchObject({ role: 'participant', state: 'joining', recorder: true });
  const recorder = await SignalingClient.open(joined.signalingUrl, joined.token);
  expect((await recorder.state()).recording).toMatchObject({ id: null, state: 'recording' });
  const host = await connect(server.url, meeting.id, 'Ada', hostToken);
  expect(host.state.recording).toMatchObject({ id: null });
  await recorder.leave();
  await seen(host, undefined);
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../src/server/store/index.ts';
import { publishOffer } from '../../support/sdp.ts';
import { startServerProcess, startTestServer } from '../../support/server.ts';
import { connect, createMeeting, rest, SignalingClient } from '../../support/signaling.ts';

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(joinPath(tmpdir(), 'meet-restart-'));
});
afterAll(() => rm(dataDir, { recursive: true, force: true }));

const logger = pino({ level: 'silent' });

/** What is written down about the participants of a meeting. */
async function records(meetingId: string, ids: string[]) {
  const store = await openStore({ dataDir }, logger);
  try {
    const participants = await Promise.all(ids.map((id) => store.participants.get(id)));
    return { participants, streams: await store.mediaStreams.listLive(meetingId) };
  } finally {
    await store.close();
  }
}

test('stopping tells everybody, writes it down and leaves nothing open', async () => {
  const server = await startTestServer({ dataDir });
  const { meeting } = await createMeeting(server.url);
  const ann = await connect(server.url, meeting.id, 'Ann');
  const bob = await connect(server.url, meeting.id, 'Bob');
  await ann.client.request('offer', { sdp: publishOffer().sdp });
  await bob.client.state((update) => update.participants?.[0]?.tracks.length === 1);
  await Promise.all([server.close({ reason: 'test' }), server.close()]);
  for (const { client } of [ann, bob]) {
    expect((await client.next('bye')).payload.reason).toBe('server-stopping');
    expect((await client.closed).code).toBe(1001);
  }
  await expect(fetch(`${server.url}/healthz`)).rejects.toThrow();
  const ids = [ann.joined.participant.id, bob.joined.participant.id];
  const { participants, streams } = await records(meeting.id, ids);
  expect(participants).toMatchObject([
    { displayName: 'Ann', leaveReason: 'server-stopping' },
    { displayName: 'Bob', leaveReason: 'server-stopping' },
  ]);
  expect(streams).toEqual([]);
});

test('after kill -9 a participant comes back under its id, and who does not has left', async () => {
  const first = await startServerProcess({ dataDir, port: 0 });
  const { meeting } = await createMeeting(first.url);
  const ann = await connect(first.url, meeting.id, 'Ann');
  const bob = await connect(first.url, meeting.id, 'Bob');
  await ann.client.request('offer', { sdp: publishOffer().sdp });
  await bob.client.state((update) => update.participants?.[0]?.tracks.length === 1);
  // Records are written behind the scenes; this request comes after them.
  await rest(first.url, 'GET', '/healthz');
  await first.kill();
  await Promise.all([ann.client.closed, bob.client.closed]);
  const ids = [ann.joined.participant.id, bob.joined.participant.id];
  expect(await records(meeting.id, ids)).toMatchObject({
    participants: [{ leftAt: null }, { leftAt: null }],
    streams: [{ participantId: ids[0], kind: 'audio' }],
  });

  const second = await startTestServer({ dataDir, timings: { resumeWindowMs: 1_500 } });
  try {
    const url = `${second.url.replace('http', 'ws')}/signaling/${meeting.id}`;
    const again = await SignalingClient.open(url, ann.joined.token);
    const full = await again.state();
    expect(full.self).toEqual({ participantId: ids[0], resumed: false });
    expect(full.participants).toMatchObject([
      { name: 'Ann', state: 'joined', joinedAt: expect.any(Number), tracks: [] },
      { name: 'Bob', state: 'reconnecting', tracks: [] },
    ]);
    expect((await again.request('offer', { sdp: publishOffer().sdp, reset: true })).type).toBe('answer');
    const gone = await again.state((update) => update.left !== undefined);
    expect(gone.left).toEqual([{ id: ids[1], reason: 'timeout' }]);
    await rest(second.url, 'GET', '/healthz');
    expect(await records(meeting.id, ids)).toMatchObject({
      participants: [{ leftAt: null }, { leaveReason: 'timeout' }],
      streams: [{ participantId: ids[0] }],
    });
    await again.leave();
  } finally {
    await second.close();
  }
});

test('who came back after the resume window is remembered through a crash', async () => {
  const first = await startServerProcess({ dataDir, port: 0, timings: { resumeWindowMs: 50 } });
  const { meeting } = await createMeeting(first.url);
  const host = await connect(first.url, meeting.id, 'Host');
  const ann = await connect(first.url, meeting.id, 'Ann');
  ann.client.cut();
  await host.client.state((update) => update.left !== undefined);
  const again = await SignalingClient.open(ann.joined.signalingUrl, ann.joined.token);
  expect((await again.state()).self).toMatchObject({ resumed: false });
  await rest(first.url, 'GET', '/healthz');
  await first.kill();
  const second = await startTestServer({ dataDir });
  try {
    const url = `${second.url.replace('http', 'ws')}/signaling/${meeting.id}`;
    const back = await SignalingClient.open(url, host.joined.token);
    expect((await back.state()).participants?.map(({ name, state }) => [name, state])).toEqual([
      ['Host', 'joined'],
      ['Ann', 'reconnecting'],
    ]);
    await back.leave();
  } finally {
    await second.close();
  }
});

test('a second server that cannot have the port leaves those in the meetings of the first alone', async () => {
  const server = await startTestServer({ dataDir });
  try {
    const { meeting } = await createMeeting(server.url);
    const ann = await connect(server.url, meeting.id, 'Ann');
    await rest(server.url, 'GET', '/healthz');
    await expect(startTestServer({ dataDir, port: server.port })).rejects.toMatchObject({
      code: 'port-in-use',
    });
    expect(await records(meeting.id, [ann.joined.participant.id])).toMatchObject({
      participants: [{ leftAt: null }],
    });
    await ann.client.leave();
  } finally {
    await server.close();
  }
});

test('a worker that is killed resets the media of its meetings and nothing else', async () => {
  const server = await startTestServer();
  try {
    const { meeting } = await createMeeting(server.url);
    const ann = await connect(server.url, meeting.id, 'Ann');
    const bob = await connect(server.url, meeting.id, 'Bob');
    await ann.client.request('offer', { sdp: publishOffer().sdp });
    await bob.client.state((update) => update.participants?.[0]?.tracks.length === 1);
    const pid = server.sfu.workers()[0]?.pid ?? 0;
    process.kill(pid, 'SIGKILL');
    for (const { client } of [ann, bob]) {
      const update = await client.state(({ mediaReset }) => mediaReset !== undefined);
      expect(update.mediaReset).toEqual({ reason: 'worker-died' });
      expect(update.participants?.map(({ tracks }) => tracks)).toEqual([[], []]);
    }
    // The message may have been lost with a connection that nobody knew to be dead.
    const replaced = await SignalingClient.open(ann.joined.signalingUrl, ann.joined.token);
    expect((await replaced.state()).self).toMatchObject({ resumed: false });
    const reply = await replaced.request('offer', { sdp: publishOffer().sdp, reset: true });
    expect(reply.type).toBe('answer');
    await bob.client.state((update) => update.participants?.[0]?.tracks.length === 1);
    replaced.cut();
    const again = await SignalingClient.open(ann.joined.signalingUrl, ann.joined.token);
    expect((await again.state()).self).toMatchObject({ resumed: true });
    await again.leave();
    await bob.client.leave();
  } finally {
    await server.close();
  }
});

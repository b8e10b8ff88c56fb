/** The main path of the server, REST and signaling, on both databases. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Store, type StoreOptions } from '../../src/server/store/index.ts';
import { publishOffer } from '../support/sdp.ts';
import { startServerProcess, startTestServer, type TestServer } from '../support/server.ts';
import { connect, createMeeting, join, rest, SignalingClient } from '../support/signaling.ts';
import { describeEngines, silent } from './store/engines.ts';

describeEngines('the server on {engine}', (engine) => {
  let options: StoreOptions;
  let server: TestServer;
  let store: Store;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(joinPath(tmpdir(), 'meet-engine-'));
    options = await engine.fresh();
    server = await startTestServer({ dataDir: folder, ...options, timings: { resumeWindowMs: 300 } });
    store = await openStore(options, silent);
  });
  afterAll(async () => {
    await store?.close();
    await server?.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('answers for its database', async () => {
    expect(store.engine).toBe(engine.name);
    expect((await rest(server.url, 'GET', '/healthz')).status).toBe(200);
  });

  test('a meeting from its creation to its end', async () => {
    const settings = { password: 'pässword', waitingRoom: false, recording: true };
    const body = { title: 'Übergabe 🎥', scheduledTime: 1_800_000_000_000, duration: 45, settings };
    const { meeting, hostToken: token } = await createMeeting(server.url, body);
    const path = `/meetings/${meeting.id}`;
    expect(meeting).toMatchObject({
      title: 'Übergabe 🎥',
      status: 'scheduled',
      scheduledTime: 1_800_000_000_000,
      duration: 45,
      settings: { hasPassword: true, waitingRoom: false, recording: true },
    });
    expect((await rest(server.url, 'GET', path)).body).toEqual(meeting);
    const patch = { title: null, settings: { recording: false } };
    expect((await rest(server.url, 'PATCH', path, { token, body: patch })).body).toEqual({
      ...meeting,
      title: null,
      settings: { ...meeting.settings, recording: false },
    });
    const guest = (password: string) =>
      rest(server.url, 'POST', `${path}/join`, { body: { displayName: 'Guest', password } });
    expect(await guest('password')).toMatchObject({
      status: 401,
      body: { error: { code: 'wrong-password' } },
    });
    expect(await guest('pässword')).toMatchObject({
      status: 200,
      body: { participant: { role: 'participant' }, meeting: { status: 'in-progress' } },
    });
    expect(await join(server.url, meeting.id, 'Host', token)).toMatchObject({
      participant: { role: 'host' },
    });
    expect((await rest(server.url, 'DELETE', path, { token })).status).toBe(204);
    expect(await guest('pässword')).toMatchObject({
      status: 410,
      body: { error: { code: 'meeting-ended' } },
    });
    expect(
      await rest(server.url, 'POST', '/meetings/zzz-zzzz-zzz/join', { body: { displayName: 'A' } }),
    ).toMatchObject({ status: 404, body: { error: { code: 'meeting-not-found' } } });
  });

  test('participants publish, subscribe, drop, come back and leave, and it is written down', async () => {
    const { meeting, hostToken } = await createMeeting(server.url);
    const ann = await connect(server.url, meeting.id, 'Ann');
    const bob = await connect(server.url, meeting.id, 'Bob');
    const ids = [ann.joined.participant.id, bob.joined.participant.id];
    expect(bob.state.participants?.map((participant) => participant.name)).toEqual(['Ann', 'Bob']);
    const published = await ann.client.request('offer', publishOffer());
    expect(published.type).toBe('answer');
    expect((await bob.client.request('subscribe', { audio: true, video: true })).type).toBe('ok');
    expect((await bob.client.next('offer')).payload.tracks).toMatchObject([{ participantId: ids[0] }]);
    const live = async () =>
      (await store.mediaStreams.listLive(meeting.id)).map(({ participantId }) => participantId);
    await expect.poll(live).toEqual([ids[0]]);

    ann.client.cut();
    const again = await SignalingClient.open(ann.joined.signalingUrl, ann.joined.token);
    expect((await again.state()).self).toEqual({ participantId: ids[0], resumed: true });
    await again.leave();
    bob.client.cut();
    const record = (id = '') => store.participants.get(id);
    await expect.poll(() => record(ids[0])).toMatchObject({ displayName: 'Ann', leaveReason: 'left' });
    await expect.poll(() => record(ids[1])).toMatchObject({ displayName: 'Bob', leaveReason: 'timeout' });
    expect(await live()).toEqual([]);

    // Whose window has run out comes back to the same record.
    const back = await SignalingClient.open(bob.joined.signalingUrl, bob.joined.token);
    expect((await back.state()).self).toEqual({ participantId: ids[1], resumed: false });
    await expect.poll(() => record(ids[1])).toMatchObject({ leftAt: null, leaveReason: null });
    await rest(server.url, 'DELETE', `/meetings/${meeting.id}`, { token: hostToken });
    expect((await back.closed).code).toBe(4410);
    expect(await store.participants.listPresent(meeting.id)).toEqual([]);
  });

  test('a crash loses nobody', async () => {
    const dataDir = joinPath(folder, 'crashing');
    const database = engine.name === 'sqlite' ? { dataDir } : { ...(await engine.fresh()), dataDir };
    const crashing = await startServerProcess(database);
    const { meeting } = await createMeeting(crashing.url);
    const ann = await connect(crashing.url, meeting.id, 'Ann');
    const looking = await openStore(engine.name === 'sqlite' ? { dataDir } : database, silent);
    await expect.poll(async () => (await looking.participants.listPresent(meeting.id)).length).toBe(1);
    await looking.close();
    await crashing.kill();
    const second = await startTestServer(database);
    try {
      const back = await SignalingClient.open(
        `${second.url.replace('http', 'ws')}/signaling/${meeting.id}`,
        ann.joined.token,
      );
      expect(await back.state()).toMatchObject({
        self: { participantId: ann.joined.participant.id, resumed: false },
        participants: [{ name: 'Ann', joinedAt: ann.state.participants?.[0]?.joinedAt }],
      });
      await back.leave();
    } finally {
      await second.close();
    }
  });
});

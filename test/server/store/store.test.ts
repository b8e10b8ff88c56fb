import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MeetError } from '../../../src/protocol/errors.ts';
import {
  openStore,
  type Recording,
  type RecordingPatch,
  type Store,
  type StoreOptions,
} from '../../../src/server/store/index.ts';
import { coded, describeEngines, silent } from './engines.ts';

describeEngines('store on {engine}', (engine) => {
  let options: StoreOptions;
  let store: Store;

  beforeAll(async () => {
    options = await engine.fresh();
    store = await openStore(options, silent);
  });
  afterAll(async () => {
    await store?.close();
  });

  test('opens again with what was stored', async () => {
    const { id } = await store.meetings.create({ title: 'Übergabe 🎥' });
    const again = await openStore(options, silent);
    expect(again.engine).toBe(engine.name);
    await again.check();
    expect(await again.meetings.get(id)).toMatchObject({ id, title: 'Übergabe 🎥' });
    await again.close();
    await again.close();
  });

  describe('users', () => {
    test('have defaults, and change in part', async () => {
      const user = await store.users.create({
        name: 'Ada',
        email: 'Ada@example.org',
        createdAt: 1_700_000_000_123,
      });
      expect(user).toEqual({
        id: user.id,
        name: 'Ada',
        email: 'Ada@example.org',
        tier: 'free',
        preferences: {
          videoQuality: 'auto',
          notifications: { meetingReminder: true, recordingReady: true },
        },
        createdAt: 1_700_000_000_123,
      });
      const changed = await store.users.update(user.id, {
        tier: 'pro',
        preferences: { videoQuality: '720p' },
      });
      expect(changed).toEqual({
        ...user,
        tier: 'pro',
        preferences: { ...user.preferences, videoQuality: '720p' },
      });
      expect(await store.users.get(user.id)).toEqual(changed);
      expect(await store.users.getByEmail('ada@EXAMPLE.org')).toEqual(changed);
    });

    test('have an e-mail address that is nobody else’s', async () => {
      await store.users.create({ email: 'grace@example.org' });
      await expect(store.users.create({ email: 'GRACE@example.org' })).rejects.toEqual(coded('bad-request'));
      const other = await store.users.create();
      await expect(store.users.update(other.id, { email: 'grace@example.org' })).rejects.toEqual(
        coded('bad-request'),
      );
    });

    test('that do not exist', async () => {
      expect(await store.users.get('nobody')).toBeUndefined();
      expect(await store.users.getByEmail('nobody@example.org')).toBeUndefined();
      expect(await store.users.update('nobody', { name: 'x' })).toBeUndefined();
    });
  });

  describe('meetings', () => {
    test('are scheduled, started once and ended once', async () => {
      const host = await store.users.create();
      const meeting = await store.meetings.create({
        hostUserId: host.id,
        scheduledTime: 8.64e15,
        duration: 45,
        passwordHash: 'scrypt$…',
        waitingRoom: true,
        createdAt: 1000,
      });
      expect(meeting).toEqual({
        id: expect.stringMatching(/^[a-z]{3}-[a-z]{4}-[a-z]{3}$/),
        hostUserId: host.id,
        title: null,
        status: 'scheduled',
        scheduledTime: 8.64e15,
        duration: 45,
        createdAt: 1000,
        startedAt: null,
        endedAt: null,
        passwordHash: 'scrypt$…',
        waitingRoom: true,
        recording: false,
        locked: false,
        unmuting: true,
        screenSharing: true,
        severalScreens: false,
      });
      expect(await store.meetings.get(meeting.id)).toEqual(meeting);
      const started = await store.meetings.start(meeting.id, 2000);
      expect(started).toEqual({ ...meeting, status: 'in-progress', startedAt: 2000 });
      expect(await store.meetings.start(meeting.id, 3000)).toEqual(started);
      const ended = await store.meetings.end(meeting.id, 4000);
      expect(ended).toEqual({ ...started, status: 'ended', endedAt: 4000 });
      expect(await store.meetings.end(meeting.id, 5000)).toEqual(ended);
      await expect(store.meetings.start(meeting.id)).rejects.toEqual(coded('meeting-ended'));
    });

    test('change in part', async () => {
      const meeting = await store.meetings.create({ id: 'team-standup', title: 'Standup', recording: true });
      expect(await store.meetings.update(meeting.id, {})).toEqual(meeting);
      const changed = await store.meetings.update(meeting.id, {
        title: null,
        locked: true,
        waitingRoom: true,
      });
      expect(changed).toEqual({ ...meeting, title: null, locked: true, waitingRoom: true });
      expect(await store.meetings.get(meeting.id)).toEqual(changed);
    });

    test('that do not exist or cannot be made', async () => {
      expect(await store.meetings.get('no-such')).toBeUndefined();
      expect(await store.meetings.update('no-such', { locked: true })).toBeUndefined();
      await expect(store.meetings.start('no-such')).rejects.toEqual(coded('meeting-not-found'));
      await expect(store.meetings.end('no-such')).rejects.toEqual(coded('meeting-not-found'));
      await store.meetings.create({ id: 'taken' });
      await expect(store.meetings.create({ id: 'taken' })).rejects.toEqual(coded('bad-request'));
      await expect(store.meetings.create({ hostUserId: 'nobody' })).rejects.toEqual(coded('not-found'));
      await expect(store.meetings.create({ title: 'a\0b' })).rejects.toEqual(coded('bad-request'));
    });

    test('that are open are listed, newest first', async () => {
      const fresh = await openStore(await engine.fresh(), silent);
      for (const [index, id] of ['first', 'second', 'third', 'fourth'].entries()) {
        await fresh.meetings.create({ id, createdAt: index });
      }
      await fresh.meetings.start('second');
      await fresh.meetings.end('third');
      const ids = async (...args: Parameters<typeof fresh.meetings.listOpen>) =>
        (await fresh.meetings.listOpen(...args)).map(({ id }) => id);
      expect(await ids()).toEqual(['fourth', 'second', 'first']);
      expect(await ids({ limit: 1 })).toEqual(['fourth']);
      expect(await ids({ status: 'in-progress' })).toEqual(['second']);
      await fresh.close();
    });
  });

  describe('recordings', () => {
    test('go from recording to ready', async () => {
      const { id: meetingId } = await store.meetings.create();
      const recorder = {
        options: { layout: 'speaker' as const, size: '640x360' },
        ...{ pid: 7, starts: 1, read: 0 },
        ...{ stage: 'record' as const, recovering: false, diskFull: false },
      };
      const recording = await store.recordings.create({
        ...{ meetingId, title: 'Weekly', format: 'webm', layout: 'speaker', createdAt: 5 },
        ...{ serverId: 's1', recorder },
      });
      expect(recording).toEqual({
        id: recording.id,
        meetingId,
        title: 'Weekly',
        location: null,
        format: 'webm',
        layout: 'speaker',
        status: 'recording',
        durationMs: null,
        sizeBytes: null,
        pauses: [],
        files: [],
        steps: [],
        transcript: null,
        access: { scope: 'hosts', userIds: [] },
        linkKey: null,
        error: null,
        serverId: 's1',
        recorder,
        wanted: { paused: false, pin: null, stopAt: null },
        createdAt: 5,
        startedAt: null,
        endedAt: null,
        expiresAt: null,
      });
      expect(await store.recordings.listByStatus('recording', 'processing')).toContainEqual(recording);
      expect(await store.recordings.running(meetingId)).toEqual(recording);
      const patch: RecordingPatch = {
        status: 'ready',
        location: 's3://b/recordings/a.webm',
        sizeBytes: 6 * 2 ** 40,
        durationMs: 90_000,
        transcript: [{ startMs: 0, endMs: 900, participantId: null, text: 'Guten Tag, "Welt"\0' }],
        access: { scope: 'participants', userIds: ['u1'] },
        linkKey: 'secret',
        pauses: [
          { from: 1, to: 2 },
          { from: 3, to: null },
        ],
        files: [{ name: 'a.webm', place: 'folder', key: 'x/a.webm', size: 9, contentType: 'video/webm' }],
        steps: [{ name: 'thumbnails', state: 'failed', error: 'no "ffmpeg"' }],
        recorder: null,
        wanted: { paused: true, pin: 'Ada', stopAt: 5 },
        startedAt: 5,
        endedAt: 6,
        expiresAt: 7,
      };
      const ready = await store.recordings.update(recording.id, patch);
      expect(ready).toEqual({ ...recording, ...patch });
      expect(await store.recordings.get(recording.id)).toEqual(ready);
      expect(await store.recordings.list(meetingId)).toEqual([ready]);
      expect(await store.recordings.running(meetingId)).toBeUndefined();
      expect(await store.recordings.listByStatus()).toEqual([]);
      expect(await store.recordings.listExpired({ now: 6, limit: 9 })).toEqual([]);
      expect(await store.recordings.listExpired({ now: 7, limit: 9 })).toEqual([ready]);
      expect(await store.recordings.update(recording.id, { transcript: null })).toMatchObject({
        transcript: null,
      });
      expect(await store.recordings.update(recording.id, {})).toMatchObject({ transcript: null });
      expect(await store.recordings.delete(recording.id)).toBe(true);
      expect(await store.recordings.delete(recording.id)).toBe(false);
      expect(await store.recordings.update(recording.id, { status: 'failed' })).toBeUndefined();
      await expect(store.recordings.create({ meetingId: 'none' })).rejects.toEqual(coded('not-found'));
    });

    test('run one at a time in a meeting, whoever starts them', async () => {
      const { id: meetingId } = await store.meetings.create();
      const other = await openStore(options, silent);
      const started = await Promise.allSettled(
        [store, other, store, other].map(({ recordings }) => recordings.create({ meetingId })),
      );
      await other.close();
      const [first, ...refused] = started.sort((a, b) => a.status.localeCompare(b.status));
      expect(first).toMatchObject({ status: 'fulfilled' });
      const { id } = (first as PromiseFulfilledResult<Recording>).value;
      expect(refused).toHaveLength(3);
      for (const one of refused) expect(one).toMatchObject({ reason: coded('recording-running') });
      await store.recordings.update(id, { status: 'processing' });
      await store.recordings.create({ meetingId, format: 'm4a' });
      await expect(store.recordings.update(id, { status: 'recording' })).rejects.toEqual(
        coded('bad-request'),
      );
      await expect(store.recordings.create({ id, meetingId: 'none' })).rejects.toBeInstanceOf(MeetError);
    });
  });

  test('a webhook call is kept once and taken by one', async () => {
    const call = { id: 'r.recording.ready', body: '{"a":1}', createdAt: 10 };
    await store.webhooks.add(call);
    await store.webhooks.add({ ...call, body: 'another' });
    expect(await store.webhooks.nextAt()).toBe(10);
    expect(await store.webhooks.take({ now: 9, busyUntil: 50, limit: 5 })).toEqual([]);
    const other = await openStore(options, silent);
    const taken = await Promise.all(
      [store, other].map(({ webhooks }) => webhooks.take({ now: 10, busyUntil: 50, limit: 5 })),
    );
    await other.close();
    expect(taken.flat()).toEqual([{ ...call, attempts: 1, nextAt: 50 }]);
    await store.webhooks.later(call.id, 20);
    expect(await store.webhooks.take({ now: 20, busyUntil: 60, limit: 5 })).toMatchObject([{ attempts: 2 }]);
    await store.webhooks.delete(call.id);
    expect(await store.webhooks.nextAt()).toBeUndefined();
  });

  test('a secret is made once, however many ask for it at once', async () => {
    const fresh = await engine.fresh();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openStore(fresh, silent)));
    let made = 0;
    const values = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        stores[i % stores.length]!.secrets.getOrCreate('token-key', () => `value ${++made}`),
      ),
    );
    expect(new Set(values).size).toBe(1);
    expect(await stores[0]?.secrets.getOrCreate('token-key', () => 'another')).toBe(values[0]);
    expect(await stores[0]?.secrets.getOrCreate('another', () => 'another')).toBe('another');
    await Promise.all(stores.map((each) => each.close()));
  });

  test('everything after close fails with a sentence', async () => {
    const closed = await openStore(await engine.fresh(), silent);
    await closed.close();
    const error = await closed.meetings.get('x').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MeetError);
    expect(error).toEqual(coded('storage-failed'));
    await expect(closed.check()).rejects.toEqual(coded('storage-failed'));
  });
});

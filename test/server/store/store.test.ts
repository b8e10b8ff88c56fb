import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MeetError } from '../../../src/protocol/errors.ts';
import { openStore, type Store, type StoreOptions } from '../../../src/server/store/index.ts';
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
      const recording = await store.recordings.create({ meetingId, format: 'webm', createdAt: 5 });
      expect(recording).toEqual({
        id: recording.id,
        meetingId,
        location: null,
        format: 'webm',
        status: 'recording',
        durationMs: null,
        sizeBytes: null,
        transcript: null,
        access: { scope: 'host', userIds: [] },
        createdAt: 5,
        endedAt: null,
      });
      expect(await store.recordings.listByStatus('recording', 'processing')).toContainEqual(recording);
      const transcript = [{ startMs: 0, endMs: 900, participantId: null, text: 'Guten Tag, "Welt"\0' }];
      const patch = {
        status: 'ready',
        location: 'recordings/a.webm',
        sizeBytes: 6 * 2 ** 40,
        durationMs: 90_000,
        transcript,
        access: { scope: 'participants', userIds: ['u1'] },
        endedAt: 6,
      } as const;
      const ready = await store.recordings.update(recording.id, {
        ...patch,
        access: { scope: 'participants', userIds: ['u1'] },
      });
      expect(ready).toEqual({ ...recording, ...patch });
      expect(await store.recordings.get(recording.id)).toEqual(ready);
      expect(await store.recordings.list(meetingId)).toEqual([ready]);
      expect(await store.recordings.listByStatus()).toEqual([]);
      expect(await store.recordings.update(recording.id, { transcript: null })).toMatchObject({
        transcript: null,
      });
      expect(await store.recordings.delete(recording.id)).toBe(true);
      expect(await store.recordings.delete(recording.id)).toBe(false);
      expect(await store.recordings.update(recording.id, { status: 'failed' })).toBeUndefined();
      await expect(store.recordings.create({ meetingId: 'none' })).rejects.toEqual(coded('not-found'));
    });
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

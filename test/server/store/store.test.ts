import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MeetError } from '../../../src/protocol/errors.ts';
import { openStore, type Store, type StoreOptions } from '../../../src/server/store/index.ts';
import { engines, silent } from './engines.ts';

/** A `MeetError` of this code. */
const coded = (code: string) => expect.objectContaining({ name: 'MeetError', code });

describe.each(engines)('store on $name', ({ name, missing, start }) => {
  if (missing !== undefined) {
    test.skip(`skipped: ${missing}`, () => {});
    return;
  }
  let engine: Awaited<ReturnType<typeof start>>;
  let options: StoreOptions;
  let store: Store;

  beforeAll(async () => {
    engine = await start();
    options = await engine.fresh();
    store = await openStore(options, silent);
  });
  afterAll(async () => {
    await store?.close();
    await engine?.stop();
  });

  test('opens again with what was stored', async () => {
    const { id } = await store.meetings.create({ title: 'Übergabe 🎥' });
    const again = await openStore(options, silent);
    expect(again.engine).toBe(name);
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

  describe('participants and their streams', () => {
    let meetingId: string;
    beforeEach(async () => {
      meetingId = (await store.meetings.create()).id;
      await store.meetings.start(meetingId);
    });
    const stream = (participantId: string, of = meetingId) =>
      store.mediaStreams.start({
        participantId,
        meetingId: of,
        kind: 'video',
        source: 'camera',
        codec: 'vp9',
        layers: 3,
      });

    test('join, change and leave once, and their streams with them', async () => {
      const ann = await store.participants.add({ meetingId, displayName: 'Ann', role: 'host', joinedAt: 1 });
      const bob = await store.participants.add({ meetingId, displayName: 'Bob', joinedAt: 2 });
      expect(await store.participants.listPresent(meetingId)).toEqual([ann, bob]);
      const camera = await stream(ann.id);
      const others = await stream(bob.id);

      expect(await store.participants.update(ann.id, { displayName: 'Anna' })).toEqual({
        ...ann,
        displayName: 'Anna',
      });
      const left = await store.participants.leave(ann.id, 'left', { at: 10 });
      expect(left).toEqual({ ...ann, displayName: 'Anna', leftAt: 10, leaveReason: 'left' });
      expect(await store.participants.leave(ann.id, 'removed', { at: 11 })).toEqual(left);
      expect(await store.participants.leave('nobody', 'left')).toBeUndefined();
      expect(await store.participants.listPresent(meetingId)).toEqual([bob]);
      expect(await store.mediaStreams.get(camera.id)).toEqual({ ...camera, endedAt: 10 });
      expect(await store.mediaStreams.listLive(meetingId)).toEqual([others]);
    });

    test('all leave when the meeting ends, and nobody comes after', async () => {
      const ann = await store.participants.add({ meetingId, displayName: 'Ann' });
      const camera = await stream(ann.id);
      await store.meetings.end(meetingId, 99);
      expect(await store.participants.get(ann.id)).toMatchObject({
        leftAt: 99,
        leaveReason: 'meeting-ended',
      });
      expect(await store.mediaStreams.get(camera.id)).toMatchObject({ endedAt: 99 });
      await expect(store.participants.add({ meetingId, displayName: 'Late' })).rejects.toEqual(
        coded('meeting-ended'),
      );
      await expect(store.participants.add({ meetingId: 'none', displayName: 'Lost' })).rejects.toEqual(
        coded('meeting-not-found'),
      );
    });

    test('nobody stays present when joining and ending meet', async () => {
      const joins = Array.from({ length: 20 }, (_, index) =>
        store.participants.add({ meetingId, displayName: String(index) }),
      );
      const [ended] = await Promise.all([store.meetings.end(meetingId), Promise.allSettled(joins)]);
      expect(ended.status).toBe('ended');
      expect(await store.participants.listPresent(meetingId)).toEqual([]);
    });

    test('all leave after a crash of their server', async () => {
      const ann = await store.participants.add({ meetingId, displayName: 'Ann' });
      await store.participants.add({ meetingId, displayName: 'Bob' });
      const camera = await stream(ann.id);
      expect(await store.participants.leaveAll(meetingId, 'server-lost', 7)).toBe(2);
      expect(await store.participants.leaveAll(meetingId, 'server-lost', 8)).toBe(0);
      expect(await store.participants.get(ann.id)).toMatchObject({ leftAt: 7, leaveReason: 'server-lost' });
      expect(await store.mediaStreams.get(camera.id)).toMatchObject({ endedAt: 7 });
    });

    test('who comes back is present again, on the server that says so', async () => {
      const joining = { meetingId, displayName: 'Ann', joinedAt: 1, serverId: 'one' };
      const ann = await store.participants.add(joining);
      expect(await store.participants.listPresentOn('one')).toEqual([ann]);
      await store.participants.leave(ann.id, 'timeout', { at: 5 });
      expect(await store.participants.listPresentOn('one')).toEqual([]);
      const back = await store.participants.rejoin(ann.id, 'two');
      expect(back).toEqual({ ...ann, serverId: 'two' });
      expect(await store.participants.listPresentOn('one')).toEqual([]);
      expect(await store.participants.listPresentOn('two')).toEqual([back]);
      // What the first server has to say about it comes too late.
      expect(await store.participants.leave(ann.id, 'timeout', { serverId: 'one' })).toEqual(back);
      expect(await store.participants.leave(ann.id, 'left', { at: 9, serverId: 'two' })).toMatchObject({
        leftAt: 9,
      });
      expect(await store.participants.rejoin('nobody', 'one')).toBeUndefined();
      await store.meetings.end(meetingId);
      await expect(store.participants.rejoin(ann.id, 'one')).rejects.toEqual(coded('meeting-ended'));
    });

    test('the present of a server are those of its meetings that have not ended', async () => {
      const ann = await store.participants.add({
        meetingId,
        displayName: 'Ann',
        joinedAt: 2,
        serverId: 'three',
      });
      const other = await store.meetings.create();
      await store.meetings.start(other.id);
      const bob = { meetingId: other.id, displayName: 'Bob', joinedAt: 1, serverId: 'three' };
      const { id } = await store.participants.add(bob);
      expect(await store.participants.listPresentOn('three')).toMatchObject([{ id }, { id: ann.id }]);
      await store.meetings.end(other.id);
      expect(await store.participants.listPresentOn('three')).toMatchObject([{ id: ann.id }]);
    });

    test("all streams of one participant end, and nobody else's", async () => {
      const ann = await store.participants.add({ meetingId, displayName: 'Ann' });
      const bob = await store.participants.add({ meetingId, displayName: 'Bob' });
      const ended = [await stream(ann.id), await stream(ann.id)];
      const live = await stream(bob.id);
      await store.mediaStreams.endAllOf(ann.id, 7);
      for (const { id } of ended) expect(await store.mediaStreams.get(id)).toMatchObject({ endedAt: 7 });
      expect(await store.mediaStreams.listLive(meetingId)).toEqual([live]);
    });

    test('streams change and end once', async () => {
      const ann = await store.participants.add({ meetingId, displayName: 'Ann' });
      const camera = await stream(ann.id);
      expect(camera).toMatchObject({ layers: 3, bitrate: null, qualityLevel: null, endedAt: null });
      const changed = await store.mediaStreams.update(camera.id, { bitrate: 3_000_000_000, qualityLevel: 2 });
      expect(changed).toEqual({ ...camera, bitrate: 3_000_000_000, qualityLevel: 2 });
      expect(await store.mediaStreams.end(camera.id, 5)).toEqual({ ...changed, endedAt: 5 });
      expect(await store.mediaStreams.end(camera.id, 6)).toEqual({ ...changed, endedAt: 5 });
      expect(await store.mediaStreams.end('none')).toBeUndefined();
      expect(await store.mediaStreams.update('none', { bitrate: 1 })).toBeUndefined();
    });

    test('a stream belongs to its participant’s meeting', async () => {
      const ann = await store.participants.add({ meetingId, displayName: 'Ann' });
      const other = await store.meetings.create();
      await expect(stream(ann.id, other.id)).rejects.toEqual(coded('not-found'));
      await expect(stream('nobody')).rejects.toEqual(coded('not-found'));
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

  describe('messages', () => {
    let meetingId: string;
    let ann: string;
    let bob: string;
    beforeEach(async () => {
      meetingId = (await store.meetings.create()).id;
      ann = (await store.participants.add({ meetingId, displayName: 'Ann' })).id;
      bob = (await store.participants.add({ meetingId, displayName: 'Bob' })).id;
    });

    test('are numbered from 1 and paged by number', async () => {
      for (let index = 1; index <= 5; index++) {
        const message = await store.messages.append({ meetingId, senderId: ann, content: `m${index}` });
        expect(message).toMatchObject({ sequence: index, recipientId: null, fileId: null, clientId: null });
        expect(await store.messages.get(message.id)).toEqual(message);
      }
      const page = async (...args: [{ after?: number; limit?: number }?]) =>
        (await store.messages.page(meetingId, ...args)).map(({ content }) => content);
      expect(await page()).toEqual(['m1', 'm2', 'm3', 'm4', 'm5']);
      expect(await page({ after: 2, limit: 2 })).toEqual(['m3', 'm4']);
      expect(await page({ after: 5 })).toEqual([]);
    });

    test('sent at once by many have numbers without gaps', async () => {
      const sent = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          store.messages.append({ meetingId, senderId: index % 2 ? ann : bob, content: String(index) }),
        ),
      );
      expect(sent.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(
        Array.from({ length: 50 }, (_, index) => index + 1),
      );
      expect(await store.messages.page(meetingId)).toEqual(sent.sort((a, b) => a.sequence - b.sequence));
    });

    test('that are sent twice are stored once', async () => {
      const message = { meetingId, senderId: ann, content: 'hello', clientId: 'c1' };
      const [first, ...copies] = await Promise.all(
        Array.from({ length: 5 }, () => store.messages.append(message)),
      );
      for (const copy of copies) expect(copy).toEqual(first);
      const fromBob = await store.messages.append({ ...message, senderId: bob });
      expect(fromBob.sequence).toBe(2);
      expect(await store.messages.page(meetingId)).toHaveLength(2);
    });

    test('that are private are seen by two', async () => {
      const eve = (await store.participants.add({ meetingId, displayName: 'Eve' })).id;
      await store.messages.append({ meetingId, senderId: ann, content: 'all' });
      await store.messages.append({ meetingId, senderId: ann, recipientId: bob, content: 'secret' });
      const seenBy = async (visibleTo: string) =>
        (await store.messages.page(meetingId, { visibleTo })).map(({ content }) => content);
      expect(await seenBy(ann)).toEqual(['all', 'secret']);
      expect(await seenBy(bob)).toEqual(['all', 'secret']);
      expect(await seenBy(eve)).toEqual(['all']);
    });

    test('take no number when they are refused', async () => {
      const elsewhere = await store.meetings.create();
      const stranger = await store.participants.add({ meetingId: elsewhere.id, displayName: 'Mallory' });
      const refused = async (fields: object, code: string) =>
        expect(store.messages.append({ meetingId, senderId: ann, content: 'x', ...fields })).rejects.toEqual(
          coded(code),
        );
      await refused({ meetingId: 'none' }, 'meeting-not-found');
      await refused({ senderId: stranger.id }, 'not-found');
      await refused({ recipientId: stranger.id }, 'not-found');
      await refused({ content: 'nul \0' }, 'bad-request');
      expect(await store.messages.append({ meetingId, senderId: ann, content: 'ok' })).toMatchObject({
        sequence: 1,
      });
      await store.meetings.end(meetingId);
      await refused({}, 'meeting-ended');
    });

    test('keep any text', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 300 }), async (text) => {
          const content = text.replaceAll('\0', '');
          const { id } = await store.messages.append({ meetingId, senderId: ann, content });
          expect((await store.messages.get(id))?.content).toBe(content);
        }),
        { numRuns: 50 },
      );
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

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../../../src/server/store/index.ts';
import { coded, describeEngines, silent } from './engines.ts';

describeEngines('participants and their streams on {engine}', (engine) => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(await engine.fresh(), silent);
  });
  afterAll(() => store?.close());

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

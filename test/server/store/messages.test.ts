import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore, type Store } from '../../../src/server/store/index.ts';
import { coded, describeEngines, silent } from './engines.ts';

describeEngines('messages on {engine}', (engine) => {
  let store: Store;
  beforeAll(async () => {
    store = await openStore(await engine.fresh(), silent);
  });
  afterAll(() => store?.close());

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

/** Files, blocks and the audit log, on both databases. */

import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type NewFile, openStore, type Store, type StoreOptions } from '../../../src/server/store/index.ts';
import { coded, describeEngines, silent } from './engines.ts';

describeEngines('access on {engine}', (engine) => {
  let options: StoreOptions;
  let store: Store;
  beforeAll(async () => {
    options = await engine.fresh();
    store = await openStore(options, silent);
  });
  afterAll(() => store?.close());

  let meetingId: string;
  let ann: string;
  let bob: string;
  let eve: string;
  beforeEach(async () => {
    meetingId = (await store.meetings.create()).id;
    const add = async (displayName: string) => (await store.participants.add({ meetingId, displayName })).id;
    [ann, bob, eve] = [await add('Ann'), await add('Bob'), await add('Eve')];
  });

  const file = (id: string, times: Partial<NewFile> = {}): NewFile => ({
    id: `${meetingId}-${id}`,
    meetingId,
    senderId: ann,
    name: 'plan.txt',
    contentType: 'text/plain',
    size: 5,
    location: `meetings/${meetingId}/files/${id}`,
    scanned: true,
    createdAt: 1_000,
    expiresAt: 8.64e15,
    ...times,
  });

  test('a file is seen by its sender, then by those who see a message with it', async () => {
    const { id } = await store.files.create(file('a'));
    const seenBy = async () => {
      const viewers = [ann, bob, eve, null];
      return await Promise.all(viewers.map((viewer) => store.files.isVisibleTo(id, viewer)));
    };
    expect(await seenBy()).toEqual([true, false, false, false]);
    const message = { meetingId, senderId: ann, content: '', fileId: id };
    const sent = await store.messages.append({ ...message, recipientId: bob });
    expect(sent.file).toMatchObject({ id, name: 'plan.txt', sent: true });
    expect(await seenBy()).toEqual([true, true, false, false]);
    await store.messages.append(message);
    expect(await seenBy()).toEqual([true, true, true, true]);
    await expect(store.messages.append({ ...message, senderId: bob })).rejects.toEqual(coded('not-found'));
  });

  test('files that have expired or were never sent are to be deleted, once', async () => {
    const { id: unsent } = await store.files.create(file('unsent'));
    const { id: sent } = await store.files.create(file('sent'));
    const { id: expired } = await store.files.create(file('expired', { expiresAt: 2_000 }));
    await store.messages.append({ meetingId, senderId: ann, content: '', fileId: sent });
    const due = async (unsentBefore: number) => {
      const files = await store.files.listExpired({ now: 2_000, unsentBefore, limit: 100 });
      return files.filter((one) => one.meetingId === meetingId).map(({ id }) => id);
    };
    expect(await due(1_000)).toEqual([expired]);
    expect((await due(1_001)).sort()).toEqual([expired, unsent].sort());
    await store.files.markDeleted(expired, 3_000);
    expect(await due(1_000)).toEqual([]);
    const again = store.messages.append({ meetingId, senderId: ann, content: '', fileId: expired });
    await expect(again).rejects.toEqual(coded('file-expired'));
  });

  test('a block is found by account, or by address where there is none', async () => {
    const { id: userId } = await store.users.ensure('carol');
    expect(await store.users.ensure('carol')).toMatchObject({ id: 'carol' });
    const common = { meetingId, createdAt: 1 };
    await store.blocks.add({ ...common, participantId: ann, userId, address: null });
    await store.blocks.add({ ...common, participantId: bob, userId: null, address: '192.0.2.1' });
    await store.blocks.add({ ...common, participantId: bob, userId: null, address: '192.0.2.1' });
    const blocked = async (who: { userId: string | null; address: string }) =>
      (await store.blocks.find(meetingId, who))?.participantId;
    expect(await blocked({ userId, address: '192.0.2.9' })).toBe(ann);
    expect(await blocked({ userId: null, address: '192.0.2.1' })).toBe(bob);
    expect(await blocked({ userId: null, address: '192.0.2.9' })).toBeUndefined();
    expect(await blocked({ userId: 'other', address: '192.0.2.1' })).toBeUndefined();
    expect(await store.blocks.remove(meetingId, bob)).toBe(1);
    expect(await store.blocks.remove(meetingId)).toBe(1);
  });

  test('one message that is refused keeps none of a batch back', async () => {
    const message = (content: string, more = {}) => ({ meetingId, senderId: ann, content, ...more });
    const results = await store.messages.appendAll([
      message('one', { clientId: 'c' }),
      message('for nobody', { recipientId: 'nobody' }),
      message('one again', { clientId: 'c' }),
      { ...message('elsewhere'), meetingId: 'none' },
      message('two'),
    ]);
    expect(results).toMatchObject([
      { sequence: 1, content: 'one' },
      { code: 'not-found' },
      { sequence: 1, content: 'one' },
      { code: 'meeting-not-found' },
      { sequence: 2, content: 'two' },
    ]);
    expect(await store.messages.last(meetingId)).toBe(2);
  });

  test('the audit log can only grow', async () => {
    const record = {
      ...{ meetingId, at: 1, actorId: ann, actorUserId: null, actorName: 'Ann', actorRole: 'host' as const },
      ...{ address: null, action: 'lock', targetId: null, targetName: null, outcome: 'allowed' as const },
      ...{ code: null, detail: { block: true } },
    };
    await store.audit.append([record, { ...record, action: 'unlock', detail: null }]);
    const entries = await store.audit.page(meetingId, { after: 0, limit: 10 });
    expect(entries).toMatchObject([record, { action: 'unlock', detail: null }]);
    expect(await store.audit.page(meetingId, { after: entries[0]?.id ?? 0, limit: 10 })).toEqual([
      entries[1],
    ]);
    for (const statement of ["update audit set action = 'x'", 'delete from audit']) {
      await expect(execute(statement)).rejects.toThrow('append-only');
    }
    expect(await store.audit.page(meetingId, { after: 0, limit: 10 })).toEqual(entries);
  });

  /** Past the store, as somebody with the database in hand would. */
  async function execute(statement: string): Promise<void> {
    if ('dataDir' in options) {
      const database = new DatabaseSync(join(options.dataDir, 'meet.db'));
      try {
        database.exec(statement);
      } finally {
        database.close();
      }
      return;
    }
    const client = new pg.Client({ connectionString: options.databaseUrl });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  }
});

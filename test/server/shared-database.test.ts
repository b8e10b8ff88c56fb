/** Servers that share a PostgreSQL database. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openStore } from '../../src/server/store/index.ts';
import { postgresMissing, startPostgres, type TestPostgres } from '../support/postgres.ts';
import { startServerProcess, startTestServer } from '../support/server.ts';
import { connect, createMeeting, join, rest, SignalingClient } from '../support/signaling.ts';

const missing = postgresMissing();

describe.skipIf(missing !== undefined)(`servers of one database ${missing ?? ''}`, () => {
  let postgres: TestPostgres;
  let folder: string;
  beforeAll(async () => {
    [postgres, folder] = await Promise.all([startPostgres(), mkdtemp(joinPath(tmpdir(), 'meet-shared-'))]);
  });
  afterAll(async () => {
    await postgres?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test('that start at once know each other’s tokens and signed links', async () => {
    const databaseUrl = await postgres.createDatabase();
    const [one, two] = await Promise.all([
      startTestServer({ databaseUrl }),
      startTestServer({ databaseUrl }),
    ]);
    try {
      const { meeting, hostToken } = await createMeeting(one.url);
      expect(await join(two.url, meeting.id, 'Host', hostToken)).toMatchObject({
        participant: { role: 'host' },
      });
      await one.objects.put('a.txt', Buffer.from('a'));
      const path = await one.objects.presignGet('a.txt', { expiresInSeconds: 60 });
      // The other server's folder has no such object, but it takes the signature.
      expect(await rest(two.url, 'GET', path)).toMatchObject({
        status: 404,
        body: { error: { code: 'not-found' } },
      });
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  test('a key that was given wins over the one of the database', async () => {
    const databaseUrl = await postgres.createDatabase();
    const [one, two] = await Promise.all([
      startTestServer({ databaseUrl }),
      startTestServer({ databaseUrl, tokenKey: Buffer.alloc(32, 5).toString('base64') }),
    ]);
    try {
      const { meeting, hostToken } = await createMeeting(one.url);
      expect(
        await rest(two.url, 'POST', `/meetings/${meeting.id}/join`, {
          body: { displayName: 'A' },
          token: hostToken,
        }),
      ).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
    } finally {
      await Promise.all([one.close(), two.close()]);
    }
  });

  test('a server that comes back finds its own people and leaves those of the others alone', async () => {
    const databaseUrl = await postgres.createDatabase();
    const dataDir = joinPath(folder, 'crashing');
    const timings = { resumeWindowMs: 300 };
    const other = await startTestServer({ databaseUrl, timings });
    try {
      const theirs = await createMeeting(other.url);
      const cat = await connect(other.url, theirs.meeting.id, 'Cat');
      const crashing = await startServerProcess({ dataDir, databaseUrl });
      const ours = await createMeeting(crashing.url);
      const ann = await connect(crashing.url, ours.meeting.id, 'Ann');
      const bob = await connect(crashing.url, ours.meeting.id, 'Bob');
      // Records are written behind the scenes.
      const store = await openStore({ databaseUrl }, { info() {}, warn() {} });
      const present = async (meetingId: string) => (await store.participants.listPresent(meetingId)).length;
      await expect.poll(() => present(ours.meeting.id)).toBe(2);
      await expect.poll(() => present(theirs.meeting.id)).toBe(1);
      await store.close();
      await crashing.kill();

      const again = await startTestServer({ dataDir, databaseUrl, timings });
      try {
        const list = async (base: string, meetingId: string, token: string) =>
          (
            await rest<{ participants: unknown[] }>(base, 'GET', `/meetings/${meetingId}/participants`, {
              token,
            })
          ).body.participants;
        // Nobody is kept a place here who is there.
        expect(await list(again.url, theirs.meeting.id, theirs.hostToken)).toEqual([]);
        const url = `${again.url.replace('http', 'ws')}/signaling/${ours.meeting.id}`;
        const back = await SignalingClient.open(url, ann.joined.token);
        expect((await back.state()).participants).toMatchObject([
          { name: 'Ann', state: 'joined' },
          { name: 'Bob', state: 'reconnecting' },
        ]);
        const gone = await back.state((update) => update.left !== undefined);
        expect(gone.left).toEqual([{ id: bob.joined.participant.id, reason: 'timeout' }]);
        expect(await list(other.url, theirs.meeting.id, theirs.hostToken)).toMatchObject([
          { name: 'Cat', state: 'joined' },
        ]);
        await back.leave();
      } finally {
        await again.close();
      }
      await cat.client.leave();
    } finally {
      await other.close();
    }
  });
});

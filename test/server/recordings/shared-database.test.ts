/** Servers that share a database, one of which records. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { postgresMissing, startPostgres, type TestPostgres } from '../../support/postgres.ts';
import { startTestServer } from '../../support/server.ts';
import { connect, createMeeting } from '../../support/signaling.ts';
import { call, recorderCommand as command, recordingOf, recordingsOf, seen, until } from './recorders.ts';

const missing = postgresMissing();

describe.skipIf(missing !== undefined)(`servers of one database ${missing ?? ''}`, () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  afterAll(() => postgres?.stop());

  test('of those that are asked at once one records, and does what the others are told', async () => {
    const databaseUrl = await postgres.createDatabase();
    const servers = await Promise.all(
      [1, 2].map(() => startTestServer({ databaseUrl, recordings: { command } })),
    );
    try {
      const [one, two] = servers as [(typeof servers)[0], (typeof servers)[0]];
      const { meeting, hostToken } = await createMeeting(one.url);
      const guests = await Promise.all(servers.map(({ url }) => connect(url, meeting.id, 'Guest')));
      const asked = await Promise.all(
        [one, two, one, two].map((server) => call(server, 'POST', meeting.id, hostToken)),
      );
      expect(asked.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
      const [recording, ...others] = await recordingsOf(two, meeting.id, hostToken);
      expect(others).toEqual([]);
      const id = recording?.id ?? '';
      const winner =
        [0, 1].find((place) => [asked[place], asked[place + 2]].some((one) => one?.status === 201)) ?? 0;
      const [busy, idle] = winner === 0 ? [one, two] : [two, one];
      await seen(guests[winner]!, 'recording');
      expect((await call(idle, 'PATCH', meeting.id, hostToken, { paused: true })).status).toBe(200);
      await expect
        .poll(async () => (await recordingOf(busy, id, hostToken)).pauses, { timeout: 10_000 })
        .toHaveLength(1);
      expect((await call(idle, 'DELETE', meeting.id, hostToken)).status).toBe(200);
      await seen(guests[winner]!, undefined);
      await until(idle, id, hostToken, 'ready');
      expect((await call(busy, 'POST', meeting.id, hostToken)).status).toBe(201);
      await call(idle, 'DELETE', meeting.id, hostToken);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  });
});

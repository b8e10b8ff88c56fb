import { createHmac } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bearerToken } from '../../../src/server/auth/bearer.ts';
import { loadTokenKey } from '../../../src/server/auth/key.ts';
import { requireMeeting, Tokens } from '../../../src/server/auth/tokens.ts';
import { iceServersFor } from '../../../src/server/auth/turn.ts';
import { loadServerId, openStore } from '../../../src/server/store/index.ts';

test('all who start at once get the same key, and nothing else is left behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'meet-key-'));
  const store = await openStore({ dataDir: join(folder, 'database') }, { info() {}, warn() {} });
  const all = <T>(load: () => Promise<T>) => Promise.all(Array.from({ length: 20 }, load));
  const keys = await all(() => loadTokenKey(folder, store));
  expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  const ids = await all(() => loadServerId(folder));
  expect(new Set(ids).size).toBe(1);
  expect((await readdir(folder)).sort()).toEqual(['database', 'server.id', 'token.key']);
  await writeFile(join(folder, 'server.id'), '\0\0');
  await expect(loadServerId(folder)).rejects.toMatchObject({ code: 'storage-failed' });
  await store.close();
  await rm(folder, { recursive: true });
});

test('a token gives back what it was made from', async () => {
  const tokens = new Tokens(Buffer.alloc(32, 7), { ttlMs: 60_000, hostTtlMs: 60_000 });
  const claims = {
    participantId: 'p',
    meetingId: 'm',
    role: 'co-host',
    name: 'Zoë 🎥',
    userId: 'u',
    recorder: null,
  } as const;
  const { token, expiresAt } = await tokens.issueParticipant(claims);
  expect(await tokens.verify(token)).toEqual({ kind: 'participant', ...claims, expiresAt });
  const host = await tokens.issueHost({ userId: 'u', meetingId: 'm' });
  const claimed = await tokens.verify(host.token);
  expect(claimed).toEqual({ kind: 'host', userId: 'u', meetingId: 'm' });
  const recorder = await tokens.issueRecorder({ recordingId: 'r', meetingId: 'm' });
  expect(await tokens.verify(recorder.token)).toEqual({
    ...{ kind: 'recorder', recordingId: 'r', meetingId: 'm', userId: null },
  });
  expect(() => requireMeeting(claimed, 'm')).not.toThrow();
  expect(() => requireMeeting(claimed, 'other')).toThrow('another meeting');
});

test('any changed character makes a token a forgery', async () => {
  const tokens = new Tokens(Buffer.alloc(32, 7), { ttlMs: 60_000, hostTtlMs: 60_000 });
  const { token } = await tokens.issueHost({ userId: 'u', meetingId: 'm' });
  // The last character of a part may hold bits that decoding drops.
  for (let i = 0; i < token.length - 1; i += 3) {
    if (token[i] === '.' || token[i + 1] === '.') continue;
    const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1);
    await expect(tokens.verify(changed)).rejects.toMatchObject({ code: 'unauthorized' });
  }
});

test('TURN credentials are those that coturn computes', () => {
  const turn = { urls: ['turn:a:3478', 'turns:b:5349'], secret: 'north', ttlSeconds: 600 };
  const [server] = iceServersFor(turn, 'p1', 1_000_000);
  expect(server).toEqual({
    urls: turn.urls,
    username: '1600:p1',
    credential: createHmac('sha1', 'north').update('1600:p1').digest('base64'),
  });
  expect(iceServersFor(undefined, 'p1')).toEqual([]);
});

test.each([
  ['Bearer abc.def-_=', 'abc.def-_='],
  ['bearer   abc ', 'abc'],
  ['Basic abc', undefined],
  ['Bearer', undefined],
  ['Bearer a b', undefined],
  [undefined, undefined],
])('Authorization: %s', (authorization, token) => {
  expect(bearerToken(authorization === undefined ? {} : { authorization })).toBe(token);
});

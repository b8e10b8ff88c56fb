/** Who may see a recording: everyone who has some token, the link or nothing, by every way to it. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessScope, RecordingInfo, RecordingUrlReply } from '../../../src/protocol/recording.ts';
import { loadTokenKey } from '../../../src/server/auth/key.ts';
import { Tokens } from '../../../src/server/auth/tokens.ts';
import { openStore } from '../../../src/server/store/index.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, rest } from '../../support/signaling.ts';
import { call, recorderCommand, recordingsOf, seen, until } from './recorders.ts';

type Who =
  | 'host token'
  | 'host'
  | 'co-host'
  | 'participant'
  | 'account'
  | 'invited'
  | 'removed'
  | 'waiting'
  | 'stranger'
  | 'nobody'
  | 'link'
  | 'wrong link';

const NOT_FOUND = 'recording-not-found';
/** What `show` and `url` answer by who may see it: hosts, participants, link. `ok` or the code of the refusal. */
const SEES: Readonly<Record<Who, Readonly<Record<AccessScope, string>>>> = {
  'host token': { hosts: 'ok', participants: 'ok', link: 'ok' },
  host: { hosts: 'ok', participants: 'ok', link: 'ok' },
  'co-host': { hosts: 'ok', participants: 'ok', link: 'ok' },
  participant: { hosts: 'forbidden', participants: 'ok', link: 'ok' },
  account: { hosts: 'forbidden', participants: 'ok', link: 'ok' },
  invited: { hosts: 'ok', participants: 'ok', link: 'ok' },
  removed: { hosts: NOT_FOUND, participants: NOT_FOUND, link: NOT_FOUND },
  waiting: { hosts: NOT_FOUND, participants: NOT_FOUND, link: NOT_FOUND },
  stranger: { hosts: NOT_FOUND, participants: NOT_FOUND, link: NOT_FOUND },
  nobody: { hosts: NOT_FOUND, participants: NOT_FOUND, link: NOT_FOUND },
  link: { hosts: NOT_FOUND, participants: NOT_FOUND, link: 'ok' },
  'wrong link': { hosts: NOT_FOUND, participants: NOT_FOUND, link: NOT_FOUND },
};
const MANAGES: readonly Who[] = ['host token', 'host'];

let server: TestServer;
let recording: RecordingInfo;
let hostToken: string;
const tokens: Partial<Record<Who, string>> = {};
let linkSecret = '';

beforeAll(async () => {
  server = await startTestServer({ recordings: { command: recorderCommand } });
  const store = await openStore({ dataDir: server.dataDir }, { info() {}, warn() {} });
  const key = await loadTokenKey(server.dataDir, store);
  const users = new Tokens(key, { ttlMs: 60_000, hostTtlMs: 60_000 });
  const userToken = async (userId: string, meetingId: string | null) =>
    (await users.issueUser({ userId, meetingId, role: 'participant' }, 600_000)).token;

  const { meeting, hostToken: token } = await createMeeting(server.url, { settings: { waitingRoom: true } });
  hostToken = token;
  const { meeting: other } = await createMeeting(server.url);
  const host = await connect(server.url, meeting.id, 'Host', token);
  const act = (action: object) => host.client.request('action', action);
  const admitted = async (name: string, invitation?: string) => {
    const member = await connect(server.url, meeting.id, name, invitation);
    await act({ action: 'admit', participantId: member.id });
    return member;
  };
  const coHost = await admitted('Co-host');
  const participant = await admitted('Participant');
  const removed = await admitted('Removed');
  await admitted('Account', await userToken('ann', meeting.id));
  await act({ action: 'promote', participantId: coHost.id });
  await act({ action: 'remove', participantId: removed.id });
  const waiting = await connect(server.url, meeting.id, 'Waiting');
  const stranger = await connect(server.url, other.id, 'Stranger');
  Object.assign(tokens, {
    'host token': token,
    ...{ host: host.token, 'co-host': coHost.token, participant: participant.token },
    ...{ removed: removed.token, waiting: waiting.token, stranger: stranger.token },
    account: await userToken('ann', null),
    invited: await userToken('bob', null),
  });

  const { body } = await call(server, 'POST', meeting.id, token);
  await seen(host, 'recording');
  await call(server, 'DELETE', meeting.id, token);
  recording = await until(server, body.recording?.id ?? '', token, 'ready');
  await store.close();
}, 60_000);
afterAll(() => server.close());

interface Reply {
  readonly error?: { readonly code: string };
}
const outcome = (status: number, body: Reply | undefined) =>
  status < 400 ? 'ok' : (body?.error?.code ?? String(status));

async function ask(who: Who, method: string, tail = '', body?: object): Promise<string> {
  const token = tokens[who];
  const secret =
    who === 'link' ? linkSecret : who === 'wrong link' ? `${linkSecret.slice(0, -1)}-` : undefined;
  const query = secret === undefined ? '' : `?link=${secret}`;
  const path = `/recordings/${recording.id}${tail}${query}`;
  const reply = await rest<Reply>(server.url, method, path, {
    ...(token === undefined ? {} : { token }),
    ...(body === undefined ? {} : { body }),
  });
  return outcome(reply.status, reply.body);
}

const share = async (access: object) => {
  const path = `/recordings/${recording.id}`;
  const { body } = await rest<RecordingInfo>(server.url, 'PATCH', path, {
    token: hostToken,
    body: { access },
  });
  const { link } = body;
  if (link !== undefined) linkSecret = new URL(link).searchParams.get('link') ?? '';
  return body;
};

const everybody = Object.keys(SEES) as Who[];

describe.each(['hosts', 'participants', 'link'] as const)('for %s', (scope) => {
  beforeAll(async () => {
    // So that the link of before is known where it opens nothing.
    await share({ scope: 'link', userIds: ['bob'] });
    await share({ scope });
  });

  test.each(['', '/url'])('GET /recordings/:id%s', async (tail) => {
    const results: Record<string, string> = {};
    for (const who of everybody) results[who] = await ask(who, 'GET', tail);
    expect(results).toEqual(Object.fromEntries(everybody.map((who) => [who, SEES[who][scope]])));
  });

  test('GET /meetings/:id/recordings', async () => {
    const results: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const who of everybody) {
      const token = tokens[who];
      const path = `/meetings/${recording.meetingId}/recordings`;
      const { status, body } = await rest<Reply & { recordings?: unknown[] }>(server.url, 'GET', path, {
        ...(token === undefined ? {} : { token }),
      });
      results[who] = status === 200 ? body.recordings?.length : body.error?.code;
      if (token === undefined) expected[who] = 'unauthorized';
      else if (who === 'stranger') expected[who] = 'wrong-meeting';
      else expected[who] = SEES[who][scope] === 'ok' ? 1 : 0;
    }
    expect(results).toEqual(expected);
  });

  test('PATCH and DELETE are for hosts', async () => {
    for (const who of everybody.filter((one) => !MANAGES.includes(one))) {
      const refusal = who === 'link' || SEES[who][scope] === NOT_FOUND ? NOT_FOUND : 'forbidden';
      expect([who, await ask(who, 'PATCH', '', { access: { scope: 'link' } })]).toEqual([who, refusal]);
      expect([who, await ask(who, 'DELETE')]).toEqual([who, refusal]);
    }
    for (const who of MANAGES) expect(await ask(who, 'PATCH', '', { access: {} })).toBe('ok');
  });
});

test('only hosts see whom it is shared with', async () => {
  const shared = await share({ scope: 'link', userIds: ['bob'] });
  expect(shared.access).toEqual({ scope: 'link', userIds: ['bob'] });
  expect(shared.link).toMatch(/^http.*\/recordings\/[\w-]+\/watch\?link=[\w-]{32}$/);
  const path = `/recordings/${recording.id}`;
  const { body } = await rest<RecordingInfo>(server.url, 'GET', path, { token: tokens.participant ?? '' });
  expect(body.access).toEqual({ scope: 'link' });
  expect(body).not.toHaveProperty('link');
});

test('the link leads to the film, until there is another one', async () => {
  const { link = '' } = await share({ scope: 'link' });
  const film = await fetch(link);
  expect([film.status, film.headers.get('content-type'), await film.text()]).toEqual([
    200,
    'video/mp4',
    'media ',
  ]);
  expect((await fetch(`${link}&file=chapters.vtt`).then((reply) => reply.text())).trim()).toBe('WEBVTT');
  expect((await fetch(`${link}&file=recorder.log`)).status).toBe(404);
  const { link: fresh = '' } = await share({ newLink: true });
  expect((await fetch(link)).status).toBe(404);
  expect((await fetch(fresh)).status).toBe(200);
});

test('a URL is good for its time, and for its file', async () => {
  const path = `/recordings/${recording.id}/url?expires=1`;
  const { body } = await rest<RecordingUrlReply>(server.url, 'GET', path, { token: hostToken });
  expect(body.file).toEqual({ name: 'recording.mp4', size: 6, contentType: 'video/mp4' });
  expect((await fetch(body.url.replace('recording.mp4', 'events.jsonl'))).status).toBe(403);
  await expect.poll(async () => (await fetch(body.url)).status, { timeout: 5_000 }).toBe(403);
  expect(Date.now()).toBeGreaterThanOrEqual(body.urlExpiresAt - 1_000);
  for (const query of ['expires=0', 'expires=90000', 'file='.padEnd(300, 'x'), 'unknown=1']) {
    const { status } = await rest(server.url, 'GET', `/recordings/${recording.id}/url?${query}`, {
      token: hostToken,
    });
    expect([query, status]).toEqual([query, 400]);
  }
});

test.each(['..%2f..%2fserver.id', 'x'.repeat(80), 'no-such-recording'])(
  'there is no recording %s',
  async (id) => {
    const { status, body } = await rest<Reply>(server.url, 'GET', `/recordings/${id}`, { token: hostToken });
    expect([status, body.error?.code]).toEqual([404, NOT_FOUND]);
  },
);

test('what is deleted is gone with its files', async () => {
  const { access } = await import('node:fs/promises');
  const folder = join(server.dataDir, 'recordings', recording.id);
  await access(folder);
  expect(await ask('host', 'DELETE')).toBe('ok');
  await expect(access(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await ask('host', 'GET')).toBe(NOT_FOUND);
  expect(await recordingsOf(server, recording.meetingId, hostToken)).toEqual([]);
});

test('what has expired is deleted, and what runs is not', async () => {
  const { meeting, hostToken: token } = await createMeeting(server.url);
  const guest = await connect(server.url, meeting.id, 'Guest');
  const { body } = await call(server, 'POST', meeting.id, token);
  const id = body.recording?.id ?? '';
  await seen(guest, 'recording');
  const year = 366 * 86_400_000;
  expect(await rest<Reply>(server.url, 'DELETE', `/recordings/${id}`, { token })).toMatchObject({
    status: 409,
    body: { error: { code: 'recording-running' } },
  });
  expect(await server.library.sweep(Date.now() + year)).toBe(0);
  await call(server, 'DELETE', meeting.id, token);
  await until(server, id, token, 'ready');
  expect(await server.library.sweep()).toBe(0);
  expect(await server.library.sweep(Date.now() + year)).toBe(1);
  expect(await recordingsOf(server, meeting.id, token)).toEqual([]);
});

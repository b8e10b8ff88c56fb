/** Every action and deed by everyone who has some token, over REST and over signaling. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditReply } from '../../../src/protocol/audit.ts';
import { type Deed, POLICY, type Standing } from '../../../src/server/meetings/policy.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import {
  connect,
  createMeeting,
  type MeetingMember,
  rest,
  SignalingClient,
} from '../../support/signaling.ts';

/** As docs/PROTOCOL.md has it: host, co-host, participant. `c` stands for the meeting's creator alone. */
const TABLE: Readonly<Record<keyof typeof POLICY, string>> = {
  admit: 'yes yes no',
  'admit-all': 'yes yes no',
  deny: 'yes yes no',
  lock: 'yes yes no',
  unlock: 'yes yes no',
  remove: 'yes yes no',
  unblock: 'yes yes no',
  mute: 'yes yes no',
  'mute-all': 'yes yes no',
  'ask-unmute': 'yes yes no',
  unmuting: 'yes yes no',
  'screen-sharing': 'yes yes no',
  'several-screens': 'yes yes no',
  'stop-share': 'yes yes no',
  'lower-hand': 'yes yes no',
  promote: 'yes no no',
  demote: 'yes no no',
  'hand-over': 'yes no no',
  'start-recording': 'yes yes no',
  'change-recording': 'yes yes no',
  'stop-recording': 'yes yes no',
  'read-recording': 'yes yes yes',
  reclaim: 'creator no no',
  end: 'yes no no',
  'update-meeting': 'yes no no',
  'end-meeting': 'yes no no',
  'read-audit': 'yes no no',
  'send-message': 'yes yes yes',
  'read-messages': 'yes yes yes',
  react: 'yes yes yes',
  'raise-hand': 'yes yes yes',
  'send-file': 'yes yes yes',
  'fetch-file': 'yes yes yes',
  'list-participants': 'yes yes yes',
};
const DEEDS: readonly Deed[] = [
  'send-message',
  'read-messages',
  'react',
  'raise-hand',
  'send-file',
  'fetch-file',
  'list-participants',
  'update-meeting',
  'end-meeting',
  'read-recording',
  'read-audit',
];
type Who = 'host' | 'co-host' | 'participant' | 'waiting' | 'removed' | 'stranger';
const WHO: readonly Who[] = ['host', 'co-host', 'participant', 'waiting', 'removed', 'stranger'];
const COLUMNS: readonly Who[] = ['host', 'co-host', 'participant'];
const CODES: Partial<Record<Who, string>> = { removed: 'removed', stranger: 'wrong-meeting' };

/** `ok`, or the code of the refusal. */
function expected(deed: keyof typeof POLICY, who: Who): string {
  const column = COLUMNS.indexOf(who);
  if (column < 0) return CODES[who] ?? 'forbidden';
  return TABLE[deed].split(' ')[column] === 'no' ? 'forbidden' : 'ok';
}

/** A recorder that does nothing, and ends with the server. */
const IDLE = [process.execPath, '-e', 'process.stdin.resume().on("end", () => process.exit())'];

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ chatRate: false, allowUnscanned: true, recordings: { command: IDLE } });
});
afterAll(() => server.close());

interface Scene {
  readonly meetingId: string;
  readonly people: Readonly<Record<Who, MeetingMember>>;
  /** Whom things are done to. */
  readonly target: MeetingMember;
  readonly guest: MeetingMember;
  readonly coHost: MeetingMember;
}

/** A meeting with one of each. */
async function scene(deed = ''): Promise<Scene> {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { waitingRoom: true } });
  const { meeting: other } = await createMeeting(server.url);
  const host = await connect(server.url, meeting.id, 'Host', hostToken);
  const act = (action: object) => host.client.request('action', action);
  if (/^(change|stop)-recording$/.test(deed)) await act({ action: 'start-recording' });
  const admitted = async (name: string) => {
    const member = await connect(server.url, meeting.id, name);
    expect((await act({ action: 'admit', participantId: member.id })).type).toBe('ok');
    return member;
  };
  const coHost = await admitted('Co-host');
  const second = await admitted('Second co-host');
  const participant = await admitted('Participant');
  const target = await admitted('Target');
  const removed = await admitted('Removed');
  for (const { id } of [coHost, second]) await act({ action: 'promote', participantId: id });
  await act({ action: 'remove', participantId: removed.id });
  const waiting = await connect(server.url, meeting.id, 'Waiting');
  const guest = await connect(server.url, meeting.id, 'Guest');
  const stranger = await connect(server.url, other.id, 'Stranger');
  const people = { host, 'co-host': coHost, participant, waiting, removed, stranger };
  return { meetingId: meeting.id, people, target, guest, coHost: second };
}

function bodyOf(name: string, { target, guest, coHost }: Scene): object {
  switch (name) {
    case 'admit':
    case 'deny':
      return { action: name, participantId: guest.id };
    case 'demote':
      return { action: name, participantId: coHost.id };
    case 'remove':
    case 'mute':
    case 'stop-share':
    case 'ask-unmute':
    case 'promote':
    case 'hand-over':
      return { action: name, participantId: target.id };
    case 'unmuting':
    case 'screen-sharing':
    case 'several-screens':
      return { action: name, allowed: false };
    default:
      return { action: name };
  }
}

type Reply = { status: number; body?: { error?: { code: string } } };
const outcome = ({ status, body }: Reply) => (status < 400 ? 'ok' : (body?.error?.code ?? String(status)));

async function overRest(deed: string, who: Who, on: Scene): Promise<string> {
  const path = `/meetings/${on.meetingId}`;
  const { token } = on.people[who];
  const call = async (method: string, tail: string, body?: object) =>
    outcome(await rest(server.url, method, `${path}${tail}`, { token, ...(body && { body }) }));
  switch (deed) {
    case 'send-message':
      return call('POST', '/messages', { content: 'hello' });
    case 'read-messages':
      return call('GET', '/messages');
    case 'list-participants':
      return call('GET', '/participants');
    case 'update-meeting':
      return call('PATCH', '', { title: 'Changed' });
    case 'end-meeting':
      return call('DELETE', '');
    case 'read-audit':
      return call('GET', '/audit');
    case 'read-recording':
      return call('GET', '/recording');
    case 'send-file':
    case 'fetch-file': {
      const form = new FormData();
      form.append('file', new File(['x'], 'x.txt'));
      const headers = { authorization: `Bearer ${token}` };
      if (deed === 'fetch-file') {
        const file = await fileOf(on);
        return call('GET', `/files/${file}`);
      }
      const reply = await fetch(`${server.url}${path}/files`, { method: 'POST', headers, body: form });
      return outcome({ status: reply.status, body: (await reply.json()) as NonNullable<Reply['body']> });
    }
    default:
      return call('POST', '/actions', bodyOf(deed, on));
  }
}

/** A file that everyone in the meeting can see. */
async function fileOf({ meetingId, people: { host } }: Scene): Promise<string> {
  const form = new FormData();
  form.append('file', new File(['x'], 'x.txt'));
  const headers = { authorization: `Bearer ${host.token}` };
  const reply = await fetch(`${server.url}/meetings/${meetingId}/files`, {
    method: 'POST',
    headers,
    body: form,
  });
  const { id } = (await reply.json()) as { id: string };
  await host.client.request('message', { content: '', fileId: id });
  return id;
}

const SIGNALING: Readonly<Record<string, (on: Scene) => [type: string, payload: object]>> = {
  'send-message': () => ['message', { content: 'hello' }],
  'read-messages': () => ['messages', {}],
  react: () => ['reaction', { reaction: '👍' }],
  'raise-hand': () => ['state-update', { hand: true }],
};

async function overSignaling(deed: string, who: Who, on: Scene): Promise<string> {
  const { people, meetingId } = on;
  const { client, token } = people[who];
  if (who === 'removed' || who === 'stranger') {
    // Not even a connection.
    const url = `${server.url.replace('http', 'ws')}/signaling/${meetingId}`;
    const refused = await SignalingClient.open(url, token);
    expect((await refused.closed).code).toBe(4403);
    const [message] = refused.messages;
    return message?.type === 'error' ? message.payload.code : 'connected';
  }
  const [type, payload] = SIGNALING[deed]?.(on) ?? ['action', bodyOf(deed, on)];
  const reply = await client.request(type, payload);
  return reply.type === 'error' ? reply.payload.code : 'ok';
}

test('the table has what the policy has', () => {
  expect(Object.keys(TABLE).sort()).toEqual(Object.keys(POLICY).sort());
  const columns: readonly Standing[] = ['host', 'co-host', 'participant'];
  for (const [deed, allowed] of Object.entries(POLICY)) {
    if (deed === 'reclaim') continue;
    const row = columns.map((standing) => (allowed.includes(standing) ? 'yes' : 'no')).join(' ');
    expect([deed, row]).toEqual([deed, TABLE[deed as keyof typeof POLICY]]);
  }
});

const actions = Object.keys(POLICY).filter((name) => !DEEDS.some((deed) => deed === name));

describe.each([
  {
    way: 'REST',
    tried: Object.keys(POLICY).filter((name) => name !== 'react' && name !== 'raise-hand'),
    run: overRest,
  },
  { way: 'signaling', tried: [...actions, ...Object.keys(SIGNALING)], run: overSignaling },
])('over $way', ({ tried, run }) => {
  test.each(tried)('%s', async (deed) => {
    // Those who may not first: what they are refused changes nothing.
    const refusals = WHO.filter((who) => expected(deed as keyof typeof POLICY, who) !== 'ok');
    const on = await scene(deed);
    const results: Record<string, string> = {};
    for (const who of refusals) results[who] = await run(deed, who, on);
    for (const who of WHO) {
      if (refusals.includes(who)) continue;
      // What it changes is there to be changed for each.
      results[who] = await run(deed, who, results.host === undefined ? on : await scene(deed));
    }
    const wanted = WHO.map((who) => [who, expected(deed as keyof typeof POLICY, who)]);
    expect(results).toEqual(Object.fromEntries(wanted));
  });
});

test('the protocol says of each action what the table says', async () => {
  const { readFile } = await import('node:fs/promises');
  const page = await readFile(new URL('../../../docs/PROTOCOL.md', import.meta.url), 'utf8');
  const rows = page.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \|[^|]*\|[^|]*\| (\w+) \| (\w+) \| (\w+) \|$/gm);
  const documented = Array.from(rows).flatMap(([, names = '', ...columns]) =>
    Array.from(names.matchAll(/`([a-z-]+)`/g), ([, name]) => [name, columns.join(' ')]),
  );
  expect(documented.map(([name]) => name).sort()).toEqual([...actions].sort());
  for (const [name, row] of documented) {
    if (name !== 'reclaim') expect([name, row]).toEqual([name, TABLE[name as keyof typeof POLICY]]);
  }
});

test('the audit log has each of them, allowed and refused, and nobody can change it', async () => {
  const on = await scene();
  await overSignaling('lock', 'participant', on);
  await overRest('mute-all', 'host', on);
  await overRest('lock', 'removed', on);
  const { body } = await rest<AuditReply>(server.url, 'GET', `/meetings/${on.meetingId}/audit?limit=1000`, {
    token: on.people.host.token,
  });
  const said = body.entries.map(({ action, outcome, code, actor }) => [action, outcome, code, actor.name]);
  expect(said).toEqual(
    expect.arrayContaining([
      ['create', 'allowed', null, null],
      ['join', 'allowed', null, 'Host'],
      ['wait', 'allowed', null, 'Waiting'],
      ['admit', 'allowed', null, 'Host'],
      ['promote', 'allowed', null, 'Host'],
      ['remove', 'allowed', null, 'Host'],
      ['lock', 'refused', 'forbidden', 'Participant'],
      ['mute-all', 'allowed', null, 'Host'],
      ['lock', 'refused', 'removed', 'Removed'],
    ]),
  );
  const removal = body.entries.find(({ action }) => action === 'remove');
  expect(removal).toMatchObject({
    actor: { role: 'host', address: '127.0.0.1' },
    target: { participantId: on.people.removed.id, name: 'Removed' },
  });
  expect(body.entries.map(({ id }) => id)).toEqual(
    [...body.entries.map(({ id }) => id)].sort((a, b) => a - b),
  );
});

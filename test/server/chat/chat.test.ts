/** The chat over signaling and REST. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ChatMessage, MessagesReply } from '../../../src/protocol/chat.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import {
  connect,
  createMeeting,
  type MeetingMember,
  type Message,
  rest,
  SignalingClient,
} from '../../support/signaling.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ chatRate: false });
});
afterAll(() => server.close());

async function members(...names: string[]): Promise<MeetingMember[]> {
  const { meeting } = await createMeeting(server.url);
  const joined: MeetingMember[] = [];
  for (const name of names) joined.push(await connect(server.url, meeting.id, name));
  return joined;
}

const trio = async () =>
  (await members('Ann', 'Bob', 'Eve')) as [MeetingMember, MeetingMember, MeetingMember];

const say = async ({ client }: MeetingMember, content: string, more: object = {}) =>
  (await client.request('message', { content, ...more })).payload as {
    message: ChatMessage;
    code?: string;
    retryAfter?: number;
  };

/** Everything of the chat that a connection has had. */
const had = ({ messages }: SignalingClient): ChatMessage[] =>
  messages.flatMap((message) => (message.type === 'chat' ? message.payload.messages : []));
const contents = (messages: readonly ChatMessage[]) => messages.map(({ content }) => content);

const page = async (member: MeetingMember, query = '', token = member.token) =>
  (await rest<MessagesReply>(server.url, 'GET', `/meetings/${member.meetingId}/messages${query}`, { token }))
    .body;

/** A message of the sender's to everyone, after which all that was before it has come. */
async function settled(sender: MeetingMember, ...others: MeetingMember[]): Promise<void> {
  const { message } = await say(sender, 'end');
  for (const { client } of others) {
    await client.next('chat', ({ payload }) => payload.messages.some(({ id }) => id === message.id));
  }
}

test('a message reaches everyone, its sender among them, as it was stored', async () => {
  const [ann, bob, eve] = await trio();
  const { message } = await say(ann, 'hello 👋', { clientId: 'one' });
  expect(message).toMatchObject({
    sequence: 1,
    senderId: ann.id,
    senderName: 'Ann',
    recipientId: null,
    content: 'hello 👋',
    clientId: 'one',
  });
  for (const { client } of [ann, bob, eve]) {
    expect((await client.next('chat')).payload.messages).toEqual([message]);
  }
  const answer = await rest<ChatMessage>(server.url, 'POST', `/meetings/${bob.meetingId}/messages`, {
    token: bob.token,
    body: { content: 'hi', replyTo: message.id },
  });
  expect(answer).toMatchObject({
    status: 201,
    body: { sequence: 2, senderName: 'Bob', replyTo: message.id },
  });
  expect((await page(eve)).messages).toEqual([message, answer.body]);
});

test('a private one reaches two and nobody else: live, in history, over REST, and in what was missed', async () => {
  const [ann, bob, eve] = await trio();
  await say(ann, 'for all');
  const { message } = await say(ann, 'secret', { recipientId: bob.id });
  expect(message).toMatchObject({ recipientId: bob.id, recipientName: 'Bob' });
  await settled(bob, ann, bob, eve);
  for (const one of [ann, bob]) {
    expect(contents(had(one.client))).toEqual(['for all', 'secret', 'end']);
    expect(contents((await page(one)).messages)).toEqual(['for all', 'secret', 'end']);
  }
  expect(contents(had(eve.client))).toEqual(['for all', 'end']);
  expect(contents((await page(eve)).messages)).toEqual(['for all', 'end']);
  const over = await eve.client.request('messages', {});
  expect(contents((over.payload as { page: MessagesReply }).page.messages)).toEqual(['for all', 'end']);
  eve.client.cut();
  const back = await SignalingClient.open(`${eve.joined.signalingUrl}?after=0`, eve.token);
  await back.next('chat', ({ payload }) => payload.messages.some(({ content }) => content === 'end'));
  expect(JSON.stringify(back.messages)).not.toContain('secret');
  // Nor does an answer to it say that it is there.
  const reply = await back.request('message', { content: 'what?', replyTo: message.id });
  expect(reply.payload).toMatchObject({ code: 'not-found' });
});

test('sent twice under the same name it is one message, over either way', async () => {
  const [ann, bob] = await trio();
  const first = await say(ann, 'once', { clientId: 'name' });
  const second = await say(ann, 'once', { clientId: 'name' });
  const third = await rest(server.url, 'POST', `/meetings/${ann.meetingId}/messages`, {
    token: ann.token,
    body: { content: 'once', clientId: 'name' },
  });
  expect([second.message, third.body]).toEqual([first.message, first.message]);
  await say(bob, 'once', { clientId: 'name' });
  await settled(ann, ann, bob);
  for (const { client } of [ann, bob]) expect(contents(had(client))).toEqual(['once', 'once', 'end']);
});

test('who comes back gets exactly what it missed, before anything newer', async () => {
  const [ann, bob] = await trio();
  for (let i = 1; i <= 3; i++) await say(ann, `before ${i}`);
  await settled(ann, bob);
  bob.client.cut();
  await bob.client.closed;
  const missed = Array.from({ length: 70 }, (_, index) => `missed ${index}`);
  await Promise.all(missed.map((content) => say(ann, content)));
  const last = had(bob.client).at(-1)?.sequence;
  const back = await SignalingClient.open(`${bob.joined.signalingUrl}?after=${last}`, bob.token);
  const meanwhile = Array.from({ length: 30 }, (_, index) => `meanwhile ${index}`);
  await Promise.all(meanwhile.map((content) => say(ann, content)));
  const { message } = await say(ann, 'end');
  await back.next('chat', ({ payload }) => payload.messages.some(({ id }) => id === message.id));
  expect(contents(had(back))).toEqual([...missed, ...meanwhile, 'end']);
  expect(back.messages[0]).toMatchObject({ type: 'state-update', payload: { full: true } });
});

test('history comes in pages, from either end', async () => {
  const [ann] = await trio();
  for (let i = 1; i <= 7; i++) await say(ann, String(i));
  const query = async (text: string) => {
    const { messages, more } = await page(ann, text);
    return [contents(messages).join(''), more];
  };
  expect(await query('')).toEqual(['1234567', false]);
  expect(await query('?limit=3')).toEqual(['567', true]);
  expect(await query('?before=5&limit=3')).toEqual(['234', true]);
  expect(await query('?before=2&limit=3')).toEqual(['1', false]);
  expect(await query('?after=2&limit=3')).toEqual(['345', true]);
  expect(await query('?after=6')).toEqual(['7', false]);
  expect(await query('?after=7')).toEqual(['', false]);
});

test('a host token sees what is for everyone, and sends nothing', async () => {
  const { meeting, hostToken } = await createMeeting(server.url);
  const ann = await connect(server.url, meeting.id, 'Ann');
  const bob = await connect(server.url, meeting.id, 'Bob');
  await say(ann, 'for all');
  await say(ann, 'secret', { recipientId: bob.id });
  expect(contents((await page(ann, '', hostToken)).messages)).toEqual(['for all']);
  const reply = await rest(server.url, 'POST', `/meetings/${meeting.id}/messages`, {
    token: hostToken,
    body: { content: 'x' },
  });
  expect(reply).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
});

describe('a message that cannot be', () => {
  let ann: MeetingMember;
  let bob: MeetingMember;
  beforeAll(async () => {
    [ann, bob] = await trio();
  });

  test.each([
    ['empty', { content: '' }, 'bad-request'],
    ['with NUL', { content: 'a\0b' }, 'bad-request'],
    ['with half a character', { content: 'a\ud800b' }, 'bad-request'],
    ['longer than 16 KiB in bytes, not in characters', { content: 'ü'.repeat(8_193) }, 'too-large'],
    ['for nobody', { content: 'x', recipientId: 'nobody' }, 'not-found'],
    ['that answers nothing', { content: 'x', replyTo: 'nothing' }, 'not-found'],
    ['with no file', { content: 'x', fileId: 'none' }, 'not-found'],
  ])('%s is refused over both ways', async (_, body, code) => {
    expect(await say(ann, body.content, body)).toMatchObject({ code });
    const reply = await rest(server.url, 'POST', `/meetings/${ann.meetingId}/messages`, {
      token: ann.token,
      body,
    });
    expect(reply.body).toMatchObject({ error: { code } });
  });

  test('of the longest text is taken', async () => {
    const content = 'ü'.repeat(8_192);
    expect((await say(ann, content)).message.content).toBe(content);
  });

  test('of a megabyte ends the connection, and the participant comes back', async () => {
    const eve = await connect(server.url, ann.meetingId, 'Eve');
    eve.client.send({ type: 'message', id: 1, payload: { content: 'x'.repeat(1024 * 1024) } });
    expect((await eve.client.closed).code).toBe(1009);
    const reply = await rest(server.url, 'POST', `/meetings/${ann.meetingId}/messages`, {
      token: eve.token,
      body: { content: 'x'.repeat(1024 * 1024) },
    });
    expect(reply.status).toBe(413);
    const back = await SignalingClient.open(eve.joined.signalingUrl, eve.token);
    expect((await back.state()).self).toMatchObject({ participantId: eve.id });
    await back.leave();
  });

  test('that is not UTF-8 ends the connection, or is refused', async () => {
    const eve = await connect(server.url, ann.meetingId, 'Eve');
    const bytes = Buffer.from('{"type":"message","id":1,"payload":{"content":"\xff\xfe"}}', 'latin1');
    eve.client.socket.send(bytes, { binary: false });
    expect((await eve.client.closed).code).toBe(1007);
    const reply = await fetch(`${server.url}/meetings/${ann.meetingId}/messages`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ann.token}` },
      body: Buffer.from('{"content":"\xff\xfe"}', 'latin1'),
    });
    expect(reply.status).toBe(400);
  });

  test('keeps no other back', async () => {
    const before = had(bob.client).length;
    const results = await Promise.all(
      ['good 1', '', 'good 2', 'bad', 'good 3'].map((content) =>
        say(ann, content, content === 'bad' ? { recipientId: 'nobody' } : {}),
      ),
    );
    expect(results.map(({ code }) => code)).toEqual([
      undefined,
      'bad-request',
      undefined,
      'not-found',
      undefined,
    ]);
    await settled(ann, bob);
    expect(contents(had(bob.client).slice(before)).slice(-4)).toEqual(['good 1', 'good 2', 'good 3', 'end']);
  });
});

test('any text comes as it was sent: escape sequences, bidi overrides, emoji', async () => {
  const [ann, bob] = await trio();
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
        fc.constantFrom('\u001b[2J\u001b]0;owned\u0007', '\u202egnp.exe', '\r\n\u009b31m', '👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿'),
      ),
      async (content) => {
        fc.pre(!content.includes('\0') && content.isWellFormed());
        const { message } = await say(ann, content);
        const came = await bob.client.next('chat', ({ payload }) =>
          payload.messages.some(({ id }) => id === message.id),
        );
        expect(came.payload.messages.find(({ id }) => id === message.id)?.content).toBe(content);
      },
    ),
    { numRuns: 40 },
  );
});

test('messages of many at once have the same order for all', async () => {
  const people = await members(...Array.from({ length: 8 }, (_, index) => `P${index}`));
  await Promise.all(people.flatMap((one, p) => Array.from({ length: 20 }, (_, i) => say(one, `${p} ${i}`))));
  const [first, ...others] = people as [MeetingMember, ...MeetingMember[]];
  await settled(first, ...people);
  const order = had(first.client).map(({ id }) => id);
  expect(new Set(order).size).toBe(161);
  for (const { client } of others) expect(had(client).map(({ id }) => id)).toEqual(order);
  // One's own keep the order in which they were sent.
  const own = contents(had(first.client).filter(({ senderId }) => senderId === people[3]?.id));
  expect(own).toEqual(Array.from({ length: 20 }, (_, i) => `3 ${i}`));
});

test('a participant sends five a second and twenty at once, unless told otherwise', async () => {
  const limited = await startTestServer();
  const { meeting } = await createMeeting(limited.url);
  const ann = await connect(limited.url, meeting.id, 'Ann');
  const results = await Promise.all(Array.from({ length: 25 }, (_, i) => say(ann, String(i))));
  const refused = results.filter(({ code }) => code !== undefined);
  expect(refused.length).toBeGreaterThanOrEqual(3);
  for (const { code, retryAfter } of refused) expect([code, retryAfter]).toEqual(['rate-limited', 0.2]);
  const over = await rest(limited.url, 'POST', `/meetings/${meeting.id}/messages`, {
    token: ann.token,
    body: { content: 'x' },
  });
  if (over.status !== 201) expect([over.status, over.headers.get('retry-after')]).toEqual([429, '1']);
  await limited.close();
});

test('reactions and hands are shown to all', async () => {
  const [ann, bob, eve] = await trio();
  expect((await ann.client.request('reaction', { reaction: '🎉' })).type).toBe('ok');
  for (const { client } of [ann, bob, eve]) {
    const { payload }: Message<'reaction'> = await client.next('reaction');
    expect(payload).toEqual({ participantId: ann.id, reaction: '🎉' });
  }
  for (const reaction of ['a', '🎉🎉', '\u001b[31m', '<b>']) {
    expect((await ann.client.request('reaction', { reaction })).payload).toMatchObject({
      code: 'bad-request',
    });
  }
  await bob.client.request('state-update', { hand: true });
  const raised = await eve.client.state(({ participants }) => typeof participants?.[0]?.hand === 'number');
  expect(raised.participants).toMatchObject([{ id: bob.id }]);
  await bob.client.request('state-update', { hand: false });
  await eve.client.state(({ participants }) => participants?.[0]?.hand === null);
});

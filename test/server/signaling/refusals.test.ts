import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Tokens } from '../../../src/server/auth/tokens.ts';
import { publishOffer } from '../../support/sdp.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, join, rest, SignalingClient } from '../../support/signaling.ts';

const KEY = randomBytes(32);
let server: TestServer;
let signaling: string;
beforeAll(async () => {
  server = await startTestServer({ tokenKey: KEY.toString('base64') });
  signaling = `${server.url.replace('http', 'ws')}/signaling`;
});
afterAll(() => server.close());

/** Code of the error message and close code of a connection that is not taken. */
async function refused(meetingId: string, token?: string) {
  const client = await SignalingClient.open(`${signaling}/${meetingId}`, token);
  const [error, { code }] = await Promise.all([client.next('error'), client.closed]);
  expect(client.messages).toHaveLength(1);
  return [error.payload.code, code];
}

describe('connections that are not taken', () => {
  test('without a token, with an empty or a malformed one', async () => {
    const { meeting } = await createMeeting(server.url);
    expect(await refused(meeting.id)).toEqual(['unauthorized', 4401]);
    expect(await refused(`${meeting.id}?token=`)).toEqual(['unauthorized', 4401]);
    expect(await refused(meeting.id, 'abc.def.ghi')).toEqual(['unauthorized', 4401]);
  });

  test('with a forged, an unsigned or an expired token, or a host token', async () => {
    const { meeting, hostToken } = await createMeeting(server.url);
    const claims = {
      participantId: 'p1',
      meetingId: meeting.id,
      role: 'host',
      name: 'Eve',
      userId: null,
    } as const;
    const ttl = { ttlMs: 60_000, hostTtlMs: 60_000 };
    const forged = await new Tokens(randomBytes(32), ttl).issueParticipant(claims);
    expect(await refused(meeting.id, forged.token)).toEqual(['unauthorized', 4401]);
    const payload = { ...claims, sub: 'p1', iss: 'meet', exp: Date.now() / 1000 + 60 };
    expect(await refused(meeting.id, new UnsecuredJWT(payload).encode())).toEqual(['unauthorized', 4401]);
    const untyped = await new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(KEY);
    expect(await refused(meeting.id, untyped)).toEqual(['unauthorized', 4401]);
    const expired = await new Tokens(KEY, { ...ttl, ttlMs: -60_000 }).issueParticipant(claims);
    expect(await refused(meeting.id, expired.token)).toEqual(['token-expired', 4401]);
    expect(await refused(meeting.id, hostToken)).toEqual(['unauthorized', 4401]);
  });

  test("with another meeting's token", async () => {
    const [one, two] = [await createMeeting(server.url), await createMeeting(server.url)];
    const { token } = await join(server.url, one.meeting.id, 'Ann');
    expect(await refused(two.meeting.id, token)).toEqual(['wrong-meeting', 4403]);
  });

  test('to a meeting that does not exist or has ended', async () => {
    const { meeting, hostToken } = await createMeeting(server.url);
    const { token } = await join(server.url, meeting.id, 'Ann');
    expect(await refused('zzz-zzzz-zzz', token)).toEqual(['meeting-not-found', 4404]);
    expect(await refused('NOT_AN_ID', token)).toEqual(['meeting-not-found', 4404]);
    await rest(server.url, 'DELETE', `/meetings/${meeting.id}`, { token: hostToken });
    expect(await refused(meeting.id, token)).toEqual(['meeting-ended', 4410]);
  });

  test('at any other path', async () => {
    const headers = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13' };
    const status = await new Promise((resolve, reject) => {
      request(`${server.url}/elsewhere`, {
        headers: { ...headers, 'sec-websocket-key': 'x3JJHMbDL1EzLkh9GBhXDw==' },
      })
        .on('response', (reply) => resolve(reply.resume().statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(404);
  });

  test('the token may come in the query', async () => {
    const { meeting } = await createMeeting(server.url);
    const { token, signalingUrl } = await join(server.url, meeting.id, 'Ann');
    const client = await SignalingClient.open(`${signalingUrl}?token=${token}`);
    expect((await client.state()).full).toBe(true);
    await client.leave();
  });
});

describe('messages that do not fit', () => {
  async function alone() {
    const { meeting } = await createMeeting(server.url);
    return (await connect(server.url, meeting.id, 'Ann')).client;
  }

  test.each([
    ['not JSON', '{"type"', undefined, 'The message is not JSON.'],
    ['a list', '[]', undefined, 'The message is not a JSON object.'],
    ['null', 'null', undefined, 'The message is not a JSON object.'],
    ['no type', '{"id": 3}', 3, 'There is no message type undefined.'],
    ['an unknown type', '{"type": "dance", "id": 3}', 3, 'There is no message type "dance".'],
    [
      'a type of Object.prototype',
      '{"type": "constructor", "id": 3}',
      3,
      'There is no message type "constructor".',
    ],
    ['no id', '{"type": "ping", "payload": {}}', undefined, '"id" is missing.'],
    [
      'a fraction as id',
      '{"type": "ping", "id": 1.5, "payload": {}}',
      undefined,
      '"id" must be a whole number.',
    ],
    ['no payload', '{"type": "offer", "id": 3}', 3, '"payload" is missing.'],
    ['no sdp', '{"type": "offer", "id": 3, "payload": {}}', 3, '"payload.sdp" is missing.'],
    [
      'a wrong source',
      '{"type": "offer", "id": 3, "payload": {"sdp": "v=0", "tracks": [{"mid": "0", "source": "tv"}]}}',
      3,
      '"payload.tracks[0].source" must be "camera", "microphone", "screen" or "screen-audio".',
    ],
    [
      'an answer without sdp',
      '{"type": "answer", "id": 3, "payload": {}}',
      undefined,
      '"payload.sdp" is missing.',
    ],
  ])('%s', async (_what, text, id, message) => {
    const client = await alone();
    client.send(text);
    const error = await client.next('error');
    expect(error).toEqual({
      type: 'error',
      ...(id ? { id } : {}),
      payload: { code: 'bad-message', message },
    });
    expect((await client.request('ping')).type).toBe('ok');
    await client.leave();
  });

  test('binary frames are refused', async () => {
    const client = await alone();
    client.socket.send(Buffer.from('{"type":"ping","id":1,"payload":{}}'), { binary: true });
    expect((await client.next('error')).payload.code).toBe('bad-message');
    await client.leave();
  });

  test('more than twenty of them end the connection', async () => {
    const client = await alone();
    for (let i = 0; i < 21; i++) client.send('nonsense');
    expect((await client.closed).code).toBe(4400);
    expect(client.messages.filter(({ type }) => type === 'error')).toHaveLength(21);
  });

  test('a message of more than 256 KiB ends it at once', async () => {
    const client = await alone();
    client.send(JSON.stringify({ type: 'offer', id: 1, payload: { sdp: 'x'.repeat(256 * 1024) } }));
    expect((await client.closed).code).toBe(1009);
  });

  test('so does a flood', async () => {
    const client = await alone();
    for (let id = 1; id <= 400; id++) client.send({ type: 'ping', id, payload: {} });
    expect((await client.closed).code).toBe(4429);
    expect(client.messages.at(-1)).toMatchObject({ type: 'error', payload: { code: 'rate-limited' } });
  });
});

/** As many as fit into a message. */
function thousandSections(): string {
  const head = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0'];
  const section = (mid: number) => [
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    `a=mid:${mid}`,
    'a=rtpmap:111 opus/48000/2',
  ];
  return [...head, ...Array.from({ length: 1_000 }, (_, mid) => section(mid)).flat(), ''].join('\r\n');
}

describe('requests that cannot be done', () => {
  async function alone() {
    const { meeting } = await createMeeting(server.url);
    return (await connect(server.url, meeting.id, 'Ann')).client;
  }

  test('a second offer before the first is answered', async () => {
    const client = await alone();
    const { sdp } = publishOffer();
    const [first, second] = await Promise.all([
      client.request('offer', { sdp }),
      client.request('offer', { sdp }),
    ]);
    expect(first.type).toBe('answer');
    expect(second).toMatchObject({ type: 'error', payload: { code: 'offer-pending' } });
    expect((await client.request('offer', { sdp })).type).toBe('answer');
    await client.leave();
  });

  test('an answer to no offer', async () => {
    const client = await alone();
    client.send({ type: 'answer', id: 9, payload: { sdp: publishOffer().sdp } });
    const error = await client.next('error');
    expect(error.id).toBeUndefined();
    expect(error.payload.code).toBe('unexpected-answer');
    await client.leave();
  });

  test.each([
    ['nonsense', 'bad-sdp', 'this is not SDP'],
    ['no usable codec', 'no-common-codec', publishOffer({ codec: 'speex/16000' }).sdp],
    ['three hundred sections', 'too-many-streams', publishOffer({ sections: 300 }).sdp],
    ['a thousand short sections', 'too-many-streams', thousandSections()],
  ])('an offer with %s', async (_what, code, sdp) => {
    const client = await alone();
    const reply = await client.request('offer', { sdp });
    expect(reply).toMatchObject({ type: 'error', payload: { code } });
    expect((await client.request('offer', { sdp: publishOffer().sdp })).type).toBe('answer');
    await client.leave();
  });

  test("another's track cannot be muted", async () => {
    const { meeting } = await createMeeting(server.url);
    const ann = await connect(server.url, meeting.id, 'Ann');
    const bob = await connect(server.url, meeting.id, 'Bob');
    const published = await ann.client.request('offer', { sdp: publishOffer().sdp });
    const trackId = published.type === 'answer' ? published.payload.tracks[0]?.trackId : undefined;
    const mute = { muted: [{ trackId, muted: true }] };
    expect(await bob.client.request('state-update', mute)).toMatchObject({
      type: 'error',
      payload: { code: 'track-not-found' },
    });
    expect((await ann.client.request('state-update', mute)).type).toBe('ok');
    const seen = await bob.client.state((update) => update.participants?.[0]?.tracks[0]?.muted === true);
    expect(seen.participants).toHaveLength(1);
    await ann.client.leave();
    await bob.client.leave();
  });
});

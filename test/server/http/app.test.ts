import { connect as connectTcp } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorReply } from '../../../src/protocol/rest.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { createMeeting, join, rest } from '../../support/signaling.ts';
import { refused } from './refused.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('creating', () => {
  test('a meeting of nothing but defaults', async () => {
    const { status, body, headers } = await rest<{ meeting: { id: string; url: string } }>(
      server.url,
      'POST',
      '/meetings',
      { body: {} },
    );
    expect(status).toBe(201);
    expect(body.meeting.id).toMatch(/^[a-z]{3}-[a-z]{4}-[a-z]{3}$/);
    expect(body.meeting.url).toBe(`${server.url}/meetings/${body.meeting.id}`);
    expect(headers.get('location')).toBe(body.meeting.url);
    expect(body.meeting).toMatchObject({
      status: 'scheduled',
      title: null,
      settings: { hasPassword: false, waitingRoom: false, recording: false },
    });
  });

  test('a meeting with everything', async () => {
    const settings = { password: 'secret', waitingRoom: true, recording: true };
    const { meeting } = await createMeeting(server.url, {
      title: 'Weekly',
      scheduledTime: 1_800_000_000_000,
      duration: 45,
      settings,
    });
    expect(meeting).toMatchObject({
      title: 'Weekly',
      scheduledTime: 1_800_000_000_000,
      duration: 45,
      settings: { hasPassword: true, waitingRoom: true, recording: true },
    });
    expect(JSON.stringify(meeting)).not.toContain('secret');
  });

  test.each([
    [{ title: '' }, '"title" must not be shorter than 1 character.'],
    [{ title: 5 }, '"title" must be a text.'],
    [{ duration: 0 }, '"duration" must be 1 or more.'],
    [{ duration: 'long' }, '"duration" must be a whole number.'],
    [{ titel: 'x' }, '"titel" is not known here.'],
    [{ settings: { password: 7 } }, '"settings.password" must be a text or null.'],
    [{ settings: [] }, '"settings" must be an object.'],
    [[], 'The body must be an object.'],
  ])('not with %j', async (body, message) => {
    expect(await refused(server.url, 'POST', '/meetings', { body })).toEqual({
      status: 400,
      code: 'bad-request',
      message,
    });
  });
});

describe('requests that are none', () => {
  const post = (body: string, type: string) =>
    fetch(`${server.url}/meetings`, { method: 'POST', headers: { 'content-type': type }, body });

  test.each([
    ['{"title": ', 'application/json', 400, 'bad-request'],
    ['', 'application/json', 400, 'bad-request'],
    ['title=x', 'application/x-www-form-urlencoded', 400, 'bad-request'],
    ['{"__proto__": {"x": 1}}', 'application/json', 400, 'bad-request'],
    [JSON.stringify({ title: 'x'.repeat(70_000) }), 'application/json', 413, 'too-large'],
  ])('body %#', async (body, type, status, code) => {
    const reply = await post(body, type);
    const { error } = (await reply.json()) as ErrorReply;
    expect([reply.status, error.code]).toEqual([status, code]);
    expect(error.message).toMatch(/^The body .*\.$/);
  });

  test('unknown paths and methods', async () => {
    expect(await refused(server.url, 'GET', '/nowhere')).toMatchObject({ status: 404, code: 'not-found' });
    expect(await refused(server.url, 'PUT', '/meetings')).toMatchObject({ status: 404, code: 'not-found' });
    expect(await refused(server.url, 'GET', '/meetings/%zz')).toMatchObject({
      status: 400,
      code: 'bad-request',
    });
  });

  test('what is not HTTP', async () => {
    const socket = connectTcp(server.port, '127.0.0.1');
    socket.end('HELLO\r\n\r\n');
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toMatch(/^HTTP\/1.1 400 /);
    expect(JSON.parse(text.split('\r\n\r\n')[1] ?? '')).toMatchObject({ error: { code: 'bad-request' } });
  });

  test.each(['aaa-aaaa-aaa', 'UPPER', 'x', '..', '%00'])('meeting "%s"', async (id) => {
    const { code, status } = await refused(server.url, 'GET', `/meetings/${id === '..' ? '%2E%2E' : id}`);
    expect([status, code]).toEqual(id === '..' ? [404, 'not-found'] : [404, 'meeting-not-found']);
  });
});

describe('changing and ending', () => {
  test('is for hosts of this meeting', async () => {
    const { meeting, hostToken } = await createMeeting(server.url);
    const other = await createMeeting(server.url);
    const guest = await join(server.url, meeting.id, 'Guest');
    const path = `/meetings/${meeting.id}`;
    const body = { title: 'New' };
    expect(await refused(server.url, 'PATCH', path, { body })).toMatchObject({
      status: 401,
      code: 'unauthorized',
    });
    expect(await refused(server.url, 'PATCH', path, { body, token: 'abc' })).toMatchObject({
      code: 'unauthorized',
    });
    expect(await refused(server.url, 'PATCH', path, { body, token: other.hostToken })).toMatchObject({
      status: 403,
      code: 'wrong-meeting',
    });
    expect(await refused(server.url, 'PATCH', path, { body, token: guest.token })).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    expect(await refused(server.url, 'DELETE', path, { token: guest.token })).toMatchObject({
      code: 'forbidden',
    });
    const changed = await rest(server.url, 'PATCH', path, { body, token: hostToken });
    expect(changed).toMatchObject({ status: 200, body: { title: 'New', status: 'in-progress' } });
  });

  test('adds and removes a password', async () => {
    const { meeting, hostToken: token } = await createMeeting(server.url);
    const patch = (password: string | null) =>
      rest(server.url, 'PATCH', `/meetings/${meeting.id}`, { token, body: { settings: { password } } });
    expect(await patch('new')).toMatchObject({ body: { settings: { hasPassword: true } } });
    expect(
      await refused(server.url, 'POST', `/meetings/${meeting.id}/join`, { body: { displayName: 'A' } }),
    ).toMatchObject({
      code: 'password-required',
    });
    expect(await patch(null)).toMatchObject({ body: { settings: { hasPassword: false } } });
    expect(await join(server.url, meeting.id, 'A')).toMatchObject({ participant: { name: 'A' } });
  });

  test('an ended meeting can be looked at and nothing else', async () => {
    const { meeting, hostToken: token } = await createMeeting(server.url);
    const path = `/meetings/${meeting.id}`;
    expect((await rest(server.url, 'DELETE', path, { token })).status).toBe(204);
    expect((await rest(server.url, 'DELETE', path, { token })).status).toBe(204);
    expect((await rest(server.url, 'GET', path)).body).toMatchObject({ status: 'ended' });
    expect(await refused(server.url, 'PATCH', path, { token, body: {} })).toMatchObject({ status: 410 });
    expect(await refused(server.url, 'POST', `${path}/join`, { body: { displayName: 'A' } })).toMatchObject({
      status: 410,
      code: 'meeting-ended',
    });
  });
});

describe('the rest', () => {
  test('participants are for those with a token of the meeting', async () => {
    const { meeting, hostToken } = await createMeeting(server.url);
    const path = `/meetings/${meeting.id}/participants`;
    expect(await refused(server.url, 'GET', path)).toMatchObject({ status: 401 });
    expect(await rest(server.url, 'GET', path, { token: hostToken })).toMatchObject({
      status: 200,
      body: { participants: [] },
    });
  });

  test('a host token makes the same user the host of another meeting', async () => {
    const { hostToken } = await createMeeting(server.url);
    const again = await rest<{ hostToken: string }>(server.url, 'POST', '/meetings', {
      body: {},
      token: hostToken,
    });
    const subject = (token: string) => JSON.parse(atob(token.split('.')[1]?.replaceAll('-', '+') ?? '')).sub;
    expect(subject(again.body.hostToken)).toBe(subject(hostToken));
  });

  test('healthz', async () => {
    expect(await rest(server.url, 'GET', '/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
  });

  test('pages of any origin may call', async () => {
    const preflight = await fetch(`${server.url}/meetings`, {
      method: 'OPTIONS',
      headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('*');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
    const reply = await fetch(`${server.url}/healthz`);
    expect(reply.headers.get('access-control-allow-origin')).toBe('*');
    expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('openapi.json names every route, its bodies and its errors', async () => {
    const { body } = await rest<{ openapi: string; paths: Record<string, Record<string, unknown>> }>(
      server.url,
      'GET',
      '/openapi.json',
    );
    expect(body.openapi).toBe('3.1.0');
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toEqual([
      'delete /meetings/{meetingId}',
      'delete /meetings/{meetingId}/recording',
      'delete /recordings/{recordingId}',
      'get /healthz',
      'get /meetings/{meetingId}',
      'get /meetings/{meetingId}/audit',
      'get /meetings/{meetingId}/files/{fileId}',
      'get /meetings/{meetingId}/messages',
      'get /meetings/{meetingId}/participants',
      'get /meetings/{meetingId}/recording',
      'get /meetings/{meetingId}/recordings',
      'get /objects/{*}',
      'get /recordings/{recordingId}',
      'get /recordings/{recordingId}/url',
      'get /recordings/{recordingId}/watch',
      'patch /meetings/{meetingId}',
      'patch /meetings/{meetingId}/recording',
      'patch /recordings/{recordingId}',
      'post /meetings',
      'post /meetings/{meetingId}/actions',
      'post /meetings/{meetingId}/files',
      'post /meetings/{meetingId}/join',
      'post /meetings/{meetingId}/messages',
      'post /meetings/{meetingId}/recording',
    ]);
    expect(body.paths['/meetings/{meetingId}/join']?.post).toMatchObject({
      requestBody: { content: { 'application/json': { schema: { required: ['displayName'] } } } },
      responses: { 200: {}, '4XX': {}, '5XX': {} },
    });
  });
});

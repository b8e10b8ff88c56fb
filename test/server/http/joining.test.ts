/** `POST /meetings/:meetingId/join` and its passwords. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { createMeeting, join, rest } from '../../support/signaling.ts';
import { refused } from './refused.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

test('starts the meeting and tells all that signaling needs', async () => {
  const { meeting } = await createMeeting(server.url);
  const joined = await join(server.url, meeting.id, 'Ann');
  expect(joined).toMatchObject({
    meeting: { id: meeting.id, status: 'in-progress' },
    participant: { name: 'Ann', role: 'participant', state: 'joining', tracks: [] },
    signalingUrl: `${server.url.replace('http', 'ws')}/signaling/${meeting.id}`,
    iceServers: [],
  });
  expect(joined.tokenExpiresAt - Date.now()).toBeGreaterThan(9 * 60_000);
});

test('with the password, or with a host token and none', async () => {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { password: 'pässword' } });
  const path = `/meetings/${meeting.id}/join`;
  const body = { displayName: 'Ann' };
  expect(await refused(server.url, 'POST', path, { body })).toMatchObject({
    status: 401,
    code: 'password-required',
  });
  expect(await refused(server.url, 'POST', path, { body: { ...body, password: 'password' } })).toMatchObject({
    status: 401,
    code: 'wrong-password',
  });
  expect((await rest(server.url, 'POST', path, { body: { ...body, password: 'pässword' } })).status).toBe(
    200,
  );
  expect(await join(server.url, meeting.id, 'Host', hostToken)).toMatchObject({
    participant: { role: 'host' },
  });
});

test('a class that comes in at once with the right password is let in', async () => {
  const { meeting } = await createMeeting(server.url, { settings: { password: 'right' } });
  const body = { displayName: 'Ann', password: 'right' };
  const joins = await Promise.all(
    Array.from({ length: 20 }, () => rest(server.url, 'POST', `/meetings/${meeting.id}/join`, { body })),
  );
  expect(joins.map(({ status }) => status)).toEqual(Array(20).fill(200));
});

test('passwords cannot be guessed fast', async () => {
  const { meeting } = await createMeeting(server.url, { settings: { password: 'right' } });
  const codes: string[] = [];
  for (let i = 0; i < 11; i++) {
    const body = { displayName: 'Ann', password: `wrong${i}` };
    codes.push((await refused(server.url, 'POST', `/meetings/${meeting.id}/join`, { body })).code);
  }
  expect(codes).toEqual([...Array(10).fill('wrong-password'), 'rate-limited']);
  const body = { displayName: 'Ann', password: 'right' };
  const { status, headers } = await rest(server.url, 'POST', `/meetings/${meeting.id}/join`, { body });
  expect(status).toBe(429);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
});

test('nor all at once', async () => {
  const { meeting } = await createMeeting(server.url, { settings: { password: 'right' } });
  const guesses = await Promise.all(
    Array.from({ length: 25 }, (_, i) =>
      refused(server.url, 'POST', `/meetings/${meeting.id}/join`, {
        body: { displayName: 'Eve', password: `${i}` },
      }),
    ),
  );
  const codes = guesses.map(({ code }) => code).sort();
  expect(codes).toEqual([...Array(15).fill('rate-limited'), ...Array(10).fill('wrong-password')]);
});

test.each([
  [{}, '"displayName" is missing.'],
  [{ displayName: '' }, '"displayName" must not be shorter than 1 character.'],
  [{ displayName: 'x'.repeat(81) }, '"displayName" must not be longer than 80 characters.'],
  [{ displayName: null }, '"displayName" must be a text.'],
])('not with name %#', async (body, message) => {
  const { meeting } = await createMeeting(server.url);
  expect(await refused(server.url, 'POST', `/meetings/${meeting.id}/join`, { body })).toMatchObject({
    status: 400,
    message,
  });
});

test('not where there is no meeting, and not with the token of another', async () => {
  const body = { displayName: 'Ann' };
  expect(await refused(server.url, 'POST', '/meetings/zzz-zzzz-zzz/join', { body })).toMatchObject({
    status: 404,
    code: 'meeting-not-found',
  });
  const [one, two] = [await createMeeting(server.url), await createMeeting(server.url)];
  expect(
    await refused(server.url, 'POST', `/meetings/${one.meeting.id}/join`, { body, token: two.hostToken }),
  ).toMatchObject({ status: 403, code: 'wrong-meeting' });
});

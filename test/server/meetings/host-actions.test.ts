/** What hosts' actions do to the others, whatever the others' clients do. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ParticipantInfo } from '../../../src/protocol/model.ts';
import { publishOffer } from '../../support/sdp.ts';
import { startServerProcess, startTestServer, type TestServer } from '../../support/server.ts';
import {
  connect,
  createMeeting,
  join,
  type MeetingMember,
  type Message,
  rest,
  SignalingClient,
} from '../../support/signaling.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ timings: { resumeWindowMs: 300 } });
});
afterAll(() => server.close());

interface Meeting {
  readonly meetingId: string;
  readonly hostToken: string;
  readonly host: MeetingMember;
  readonly ann: MeetingMember;
  readonly bob: MeetingMember;
}

async function meeting(base = server.url): Promise<Meeting> {
  const { meeting, hostToken } = await createMeeting(base);
  const host = await connect(base, meeting.id, 'Host', hostToken);
  const ann = await connect(base, meeting.id, 'Ann');
  const bob = await connect(base, meeting.id, 'Bob');
  return { meetingId: meeting.id, hostToken, host, ann, bob };
}

const act = async ({ client }: MeetingMember, action: string, more: object = {}) => {
  const reply = await client.request('action', { action, ...more });
  return reply.type === 'error' ? reply.payload.code : 'ok';
};

type Described = readonly { mid: string; source: string; muted?: boolean }[];
const publish = async ({ client }: MeetingMember, tracks: Described, more: object = {}) =>
  (await client.request('offer', {
    ...publishOffer({ sections: tracks.length }),
    tracks,
    ...more,
  })) as Message<'answer'>;

/** Waits until somebody sees this participant so. */
async function seen(
  { client }: MeetingMember,
  { id }: MeetingMember,
  as: (participant: ParticipantInfo) => boolean,
): Promise<void> {
  await client.state(({ participants = [] }) => participants.some((one) => one.id === id && as(one)));
}
const sends =
  (...tracks: string[]) =>
  ({ tracks: now }: ParticipantInfo) =>
    now.map(({ source, muted }) => (muted ? `${source} muted` : source)).join() === tracks.join();

const MICROPHONE = [{ mid: '0', source: 'microphone' }] as const;

test('a muted participant stays muted, also when it publishes anew, until it unmutes itself', async () => {
  const { host, ann, bob } = await meeting();
  const { payload } = await publish(ann, MICROPHONE);
  await seen(bob, ann, sends('microphone'));
  expect(await act(host, 'mute', { participantId: ann.id })).toBe('ok');
  await seen(bob, ann, sends('microphone muted'));
  // Saying in an offer that it is not muted is not unmuting.
  await publish(ann, [{ mid: '0', source: 'microphone', muted: false }]);
  const anew = await publish(ann, [{ mid: '0', source: 'microphone', muted: false }], { reset: true });
  const [{ trackId } = { trackId: '' }] = anew.payload.tracks;
  expect(trackId).not.toBe(payload.tracks[0]?.trackId);
  await seen(bob, ann, ({ tracks }) => tracks[0]?.id === trackId && tracks[0].muted);
  await ann.client.request('state-update', { muted: [{ trackId, muted: false }] });
  await seen(bob, ann, sends('microphone'));
});

test('all are muted, or all but hosts', async () => {
  const { host, ann, bob } = await meeting();
  await act(host, 'promote', { participantId: bob.id });
  for (const one of [host, ann, bob]) await publish(one, MICROPHONE);
  await seen(host, bob, sends('microphone'));
  expect(await act(host, 'mute-all', { exceptHosts: true })).toBe('ok');
  await seen(host, ann, sends('microphone muted'));
  const muted = async () => {
    const path = `/meetings/${host.meetingId}/participants`;
    const { body } = await rest<{ participants: ParticipantInfo[] }>(server.url, 'GET', path, {
      token: host.token,
    });
    return body.participants.filter(({ tracks }) => tracks[0]?.muted).map(({ name }) => name);
  };
  expect(await muted()).toEqual(['Ann']);
  expect(await act(host, 'mute-all')).toBe('ok');
  await seen(host, bob, sends('microphone muted'));
  expect(await muted()).toEqual(['Ann', 'Bob']);
  // A co-host's word is none for the host.
  expect(await act(bob, 'mute-all')).toBe('ok');
  expect(await muted()).toEqual(['Ann', 'Bob']);
  expect(await act(bob, 'mute', { participantId: host.id })).toBe('forbidden');
});

test('where participants may not unmute themselves, a host asks them to', async () => {
  const { host, ann, bob } = await meeting();
  await publish(bob, MICROPHONE);
  await seen(ann, bob, sends('microphone'));
  await act(host, 'unmuting', { allowed: false });
  // Who speaks goes on; who begins begins muted.
  const { payload } = await publish(ann, MICROPHONE);
  await seen(bob, ann, sends('microphone muted'));
  const muted = [{ trackId: payload.tracks[0]?.trackId, muted: false }];
  const refused = await ann.client.request('state-update', { muted });
  expect(refused.payload).toMatchObject({ code: 'forbidden' });
  await act(host, 'ask-unmute', { participantId: ann.id });
  expect((await ann.client.next('unmute-request')).payload).toEqual({
    participantId: host.id,
    source: 'microphone',
  });
  expect((await ann.client.request('state-update', { muted })).type).toBe('ok');
  await seen(bob, ann, sends('microphone'));
});

test('screens that may not be shared end and are refused, other sources stay', async () => {
  const { host, ann, bob } = await meeting();
  const both = [...MICROPHONE, { mid: '1', source: 'screen-audio' }];
  await publish(ann, both);
  await seen(bob, ann, sends('microphone', 'screen-audio'));
  await act(host, 'screen-sharing', { allowed: false });
  await seen(bob, ann, sends('microphone'));
  const { payload } = await publish(ann, both);
  expect(payload.tracks.map(({ mid }) => mid)).toEqual(['0']);
  expect(payload.sdp.match(/^m=audio (\d+)/gm)).toEqual([expect.stringMatching(/ [1-9]/), 'm=audio 0']);
  const alone = await publish(bob, [{ mid: '0', source: 'screen-audio' }]);
  expect(alone.payload).toMatchObject({ code: 'forbidden' });
  // Hosts may, and everyone again when it is allowed.
  expect((await publish(host, both)).payload.tracks).toHaveLength(2);
  await act(host, 'screen-sharing', { allowed: true });
  await act(host, 'several-screens', { allowed: true });
  expect((await publish(ann, both)).payload.tracks).toHaveLength(2);
});

const SCREEN = [{ mid: '0', source: 'screen' }];

test('one shares at a time unless a host allows several, and whoever stops makes room', async () => {
  const { host, ann, bob } = await meeting();
  await publish(ann, SCREEN);
  await seen(bob, ann, sends('screen'));
  for (const other of [bob, host]) {
    const { payload } = await publish(other, SCREEN);
    expect(payload).toMatchObject({
      code: 'share-taken',
      message: expect.stringContaining('Ann is sharing'),
    });
  }
  // Whoever shares may offer anew.
  expect((await publish(ann, SCREEN, { reset: true })).payload.tracks).toHaveLength(1);
  expect(await act(ann, 'several-screens', { allowed: true })).toBe('forbidden');
  await act(host, 'several-screens', { allowed: true });
  expect((await publish(bob, SCREEN)).payload.tracks).toHaveLength(1);
  await act(host, 'several-screens', { allowed: false });
  await bob.client.request('leave', {});
  expect((await publish(host, SCREEN)).payload).toMatchObject({ code: 'share-taken' });
  await ann.client.request('leave', {});
  expect((await publish(host, SCREEN)).payload.tracks).toHaveLength(1);
});

test('a host stops a share at once, its sharer is told, and others are told by the state', async () => {
  const { host, ann, bob } = await meeting();
  await publish(ann, [...MICROPHONE, { mid: '1', source: 'screen-audio' }]);
  await seen(bob, ann, sends('microphone', 'screen-audio'));
  expect(await act(bob, 'stop-share', { participantId: ann.id })).toBe('forbidden');
  expect(await act(host, 'stop-share', { participantId: ann.id })).toBe('ok');
  expect((await ann.client.next('share-stopped')).payload).toEqual({ participantId: host.id });
  await seen(bob, ann, sends('microphone'));
  // The floor is free.
  expect((await publish(bob, SCREEN)).payload.tracks).toHaveLength(1);
});

test('a locked meeting takes hosts and those who come back, and nobody else', async () => {
  const { meetingId, hostToken, host, ann } = await meeting();
  await act(host, 'lock');
  const locked = await ann.client.state((update) => update.meeting !== undefined);
  expect(locked.meeting?.settings.locked).toBe(true);
  const late = await rest(server.url, 'POST', `/meetings/${meetingId}/join`, {
    body: { displayName: 'Late' },
  });
  expect(late).toMatchObject({ status: 403, body: { error: { code: 'meeting-locked' } } });
  expect((await join(server.url, meetingId, 'Second', hostToken)).participant.role).toBe('host');
  ann.client.cut();
  const back = await SignalingClient.open(ann.joined.signalingUrl, ann.token);
  expect((await back.state()).self).toMatchObject({ participantId: ann.id });
  await act(host, 'unlock');
  expect((await join(server.url, meetingId, 'Late')).participant.name).toBe('Late');
});

test('who is removed is out, with the token, and with a block for good', async () => {
  const { meetingId, hostToken, host, ann, bob } = await meeting();
  const again = (displayName: string, token?: string) =>
    rest(server.url, 'POST', `/meetings/${meetingId}/join`, {
      body: { displayName },
      ...(token && { token }),
    });
  await act(host, 'remove', { participantId: ann.id });
  expect((await ann.client.next('bye')).payload.reason).toBe('removed');
  expect((await ann.client.closed).code).toBe(4403);
  const left = await bob.client.state((update) => update.left !== undefined);
  expect(left.left).toEqual([{ id: ann.id, reason: 'removed' }]);
  const back = await SignalingClient.open(ann.joined.signalingUrl, ann.token);
  expect((await back.closed).code).toBe(4403);
  expect(await again('Ann', ann.token)).toMatchObject({ body: { error: { code: 'removed' } } });
  expect((await again('Ann')).status).toBe(200);
  await act(host, 'remove', { participantId: bob.id, block: true });
  await bob.client.closed;
  expect(await again('Bob')).toMatchObject({ status: 403, body: { error: { code: 'blocked' } } });
  // By address, so nobody without an account comes from there; hosts do.
  expect((await again('Host', hostToken)).status).toBe(200);
  await act(host, 'unblock', { participantId: bob.id });
  expect((await again('Bob')).status).toBe(200);
});

test('the host makes a co-host, hands over, and as the creator reclaims', async () => {
  const { host, ann, bob } = await meeting();
  const role = (role: string) => (participant: ParticipantInfo) => participant.role === role;
  await act(host, 'promote', { participantId: ann.id });
  await seen(bob, ann, role('co-host'));
  // A fresh token says so.
  const fresh = await ann.client.state(({ token }) => token !== undefined);
  expect(JSON.parse(atob(fresh.token?.token.split('.')[1] ?? ''))).toMatchObject({ role: 'co-host' });
  expect(await act(ann, 'lock')).toBe('ok');
  await act(host, 'hand-over', { participantId: bob.id });
  await seen(ann, bob, role('host'));
  expect(await act(host, 'demote', { participantId: ann.id })).toBe('forbidden');
  expect(await act(ann, 'reclaim')).toBe('forbidden');
  expect(await act(bob, 'demote', { participantId: ann.id })).toBe('ok');
  expect(await act(ann, 'unlock')).toBe('forbidden');
  expect(await act(host, 'reclaim')).toBe('ok');
  await seen(ann, host, role('host'));
  expect(await act(bob, 'end')).toBe('forbidden');
  // The token of before says host; the role is what it is now.
  const old = await rest(server.url, 'POST', `/meetings/${host.meetingId}/actions`, {
    token: bob.token,
    body: { action: 'end' },
  });
  expect(old.status).toBe(403);
  expect(await act(host, 'end')).toBe('ok');
  expect((await ann.client.closed).code).toBe(4410);
});

test('a new co-host sees who waits, and no longer when it is none', async () => {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { waitingRoom: true } });
  const host = await connect(server.url, meeting.id, 'Host', hostToken);
  const ann = await connect(server.url, meeting.id, 'Ann');
  await act(host, 'admit-all');
  await ann.client.state(({ full, participants }) => full === true && participants?.length === 2);
  const guest = await connect(server.url, meeting.id, 'Guest');
  await act(host, 'promote', { participantId: ann.id });
  await seen(ann, guest, ({ state }) => state === 'waiting');
  await act(host, 'demote', { participantId: ann.id });
  const hidden = await ann.client.state(({ left }) => left !== undefined);
  expect(hidden.left).toEqual([{ id: guest.id, reason: 'hidden' }]);
});

test('the meeting goes on without its host, whose role comes back with them, also after a restart', async () => {
  const dataDir = await mkdtemp(joinPath(tmpdir(), 'meet-host-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
  const options = { dataDir, timings: { resumeWindowMs: 300 } };
  const first = await startServerProcess(options);
  const { host, ann, bob } = await meeting(first.url);
  await act(host, 'hand-over', { participantId: ann.id });
  await seen(bob, ann, ({ role }) => role === 'host');
  ann.client.cut();
  await bob.client.state(({ left }) => left?.[0]?.id === ann.id);
  expect((await bob.client.request('message', { content: 'still here' })).type).toBe('ok');
  const back = await SignalingClient.open(ann.joined.signalingUrl, ann.token);
  const full = await back.state();
  expect(full.participants?.find(({ id }) => id === ann.id)?.role).toBe('host');
  expect((await back.request('action', { action: 'lock' })).type).toBe('ok');
  await first.kill();
  const second = await startServerProcess(options);
  onTestFinished(() => second.kill());
  const url = `${second.url.replace('http', 'ws')}/signaling/${ann.meetingId}`;
  // With the token from before it was made the host.
  const again = await SignalingClient.open(url, ann.token);
  expect((await again.state()).participants?.find(({ id }) => id === ann.id)?.role).toBe('host');
  expect((await again.request('action', { action: 'unlock' })).type).toBe('ok');
});

test('anybody creates ten meetings an hour, or only who has a token', async () => {
  const open = await startTestServer({ createLimit: { count: 2, windowMs: 3_600_000 } });
  const create = (base: string, token?: string) =>
    rest(base, 'POST', '/meetings', { body: {}, ...(token && { token }) });
  const { body } = await rest<{ hostToken: string }>(open.url, 'POST', '/meetings', { body: {} });
  expect((await create(open.url)).status).toBe(201);
  const refused = await create(open.url);
  expect([refused.status, refused.body]).toMatchObject([429, { error: { code: 'rate-limited' } }]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_500);
  // A user has a limit of its own.
  expect((await create(open.url, body.hostToken)).status).toBe(201);
  await open.close();
  const closed = await startTestServer({ auth: 'token' });
  expect(await create(closed.url)).toMatchObject({ status: 401, body: { error: { code: 'unauthorized' } } });
  await closed.close();
});

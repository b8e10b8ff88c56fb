import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ParticipantsReply } from '../../../src/protocol/rest.ts';
import type { StateUpdate } from '../../../src/protocol/signaling.ts';
import { openStore } from '../../../src/server/store/index.ts';
import { publishOffer } from '../../support/sdp.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { createMeeting, join, rest, SignalingClient } from '../../support/signaling.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ timings: { resumeWindowMs: 400 } });
});
afterAll(() => server.close());

async function enter(meetingId: string, name: string, token?: string) {
  const joined = await join(server.url, meetingId, name, token);
  const client = await SignalingClient.open(joined.signalingUrl, joined.token);
  return { client, joined, id: joined.participant.id, full: await client.state() };
}

/** A meeting with a waiting room, its host and a guest who is in. */
async function meetingWithRoom() {
  const { meeting, hostToken } = await createMeeting(server.url, { settings: { waitingRoom: true } });
  const host = await enter(meeting.id, 'Host', hostToken);
  const guest = await enter(meeting.id, 'Guest');
  expect((await host.client.request('action', { action: 'admit', participantId: guest.id })).type).toBe('ok');
  await guest.client.state(({ full }) => full === true);
  return { meeting, hostToken, host, guest };
}

const names = ({ participants = [] }: Pick<StateUpdate, 'participants'>) =>
  participants.map(({ name, state }) => `${name} ${state}`);
const patch = (meetingId: string, token: string, settings: object) =>
  rest(server.url, 'PATCH', `/meetings/${meetingId}`, { token, body: { settings } });

test('a guest waits and learns of nobody, and only hosts learn of the guest', async () => {
  const { meeting, host, guest } = await meetingWithRoom();
  const eve = await enter(meeting.id, 'Eve');
  expect(eve.joined.participant.state).toBe('waiting');
  expect(names(eve.full)).toEqual(['Eve waiting']);
  expect(eve.full.self).toEqual({ participantId: eve.id, resumed: false });
  expect(await host.client.state((update) => names(update).includes('Eve waiting'))).toMatchObject({
    participants: [{ id: eve.id, role: 'participant', tracks: [] }],
  });

  // What happens in the meeting after it reaches the guest, and nothing of Eve was before it.
  await host.client.request('offer', publishOffer());
  await guest.client.state((update) => update.participants?.[0]?.tracks.length === 1);
  expect(JSON.stringify(guest.client.messages)).not.toContain(eve.id);
  expect(eve.client.messages).toHaveLength(1);
  for (const { client } of [host, guest, eve]) await client.leave();
});

test('nothing but leaving works before a host says so', async () => {
  const { meeting, host, guest } = await meetingWithRoom();
  const eve = await enter(meeting.id, 'Eve');
  const attempts: [string, unknown][] = [
    ['offer', publishOffer()],
    ['subscribe', { audio: true, video: true }],
    ['ice-restart', { pc: 'subscribe' }],
    ['state-update', { muted: [] }],
    ['action', { action: 'admit', participantId: eve.id }],
    ['action', { action: 'deny', participantId: guest.id }],
  ];
  for (const [type, payload] of attempts) {
    expect(await eve.client.request(type, payload)).toMatchObject({
      type: 'error',
      payload: { code: 'forbidden' },
    });
  }
  expect((await eve.client.request('ping')).type).toBe('ok');
  const path = `/meetings/${meeting.id}/participants`;
  const list = (token: string) => rest<ParticipantsReply>(server.url, 'GET', path, { token });
  expect(await list(eve.joined.token)).toMatchObject({ status: 403, body: { error: { code: 'forbidden' } } });
  const listed = async (token: string) => names((await list(token)).body);
  expect(await listed(guest.joined.token)).toEqual(['Host joined', 'Guest joined']);
  expect(await listed(host.joined.token)).toEqual(['Host joined', 'Guest joined', 'Eve waiting']);
  await eve.client.leave();
  expect((await host.client.state(({ left }) => left !== undefined)).left).toEqual([
    { id: eve.id, reason: 'left' },
  ]);
  for (const { client } of [host, guest]) await client.leave();
  expect(JSON.stringify(guest.client.messages)).not.toContain(eve.id);
});

test('whom a host admits is in, with everything', async () => {
  const { meeting, host, guest } = await meetingWithRoom();
  const eve = await enter(meeting.id, 'Eve');
  const refused = await eve.client.request('offer', publishOffer());
  expect(refused.type).toBe('error');
  expect(
    (await guest.client.request('action', { action: 'admit', participantId: eve.id })).payload,
  ).toMatchObject({
    code: 'forbidden',
  });
  expect((await host.client.request('action', { action: 'admit', participantId: eve.id })).type).toBe('ok');
  const full = await eve.client.state((update) => update.full === true);
  expect(full.self).toEqual({ participantId: eve.id, resumed: false });
  expect(names(full)).toEqual(['Host joined', 'Guest joined', 'Eve joined']);
  await guest.client.state((update) => names(update).includes('Eve joined'));
  expect((await eve.client.request('offer', { ...publishOffer(), reset: true })).type).toBe('answer');
  expect((await guest.client.request('subscribe', { audio: true, video: true })).type).toBe('ok');
  expect((await guest.client.next('offer')).payload.tracks).toMatchObject([{ participantId: eve.id }]);
  // Twice is once.
  expect(
    (await host.client.request('action', { action: 'admit', participantId: eve.id })).payload,
  ).toMatchObject({
    code: 'not-found',
  });
  // From full update to full update the versions have no gap, for hosts and guests alike.
  for (const { client } of [host, guest]) {
    const versions = client.messages.flatMap((message) =>
      message.type === 'state-update' ? [message.payload.version] : [],
    );
    for (const [i, version] of versions.entries()) {
      if (i > 0) expect(version - (versions[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    }
  }
  for (const { client } of [host, guest, eve]) await client.leave();
});

test('whom a host denies is told so and sent away', async () => {
  const { meeting, host, guest } = await meetingWithRoom();
  const eve = await enter(meeting.id, 'Eve');
  expect((await host.client.request('action', { action: 'deny', participantId: eve.id })).type).toBe('ok');
  expect((await eve.client.next('bye')).payload).toEqual({
    reason: 'denied',
    message: 'The host did not let you in.',
  });
  expect((await eve.client.closed).code).toBe(4403);
  expect((await host.client.state(({ left }) => left !== undefined)).left).toEqual([
    { id: eve.id, reason: 'denied' },
  ]);
  for (const { client } of [host, guest]) await client.leave();
  expect(JSON.stringify(guest.client.messages)).not.toContain(eve.id);
});

test('who drops keeps waiting, and who was admitted meanwhile comes back into the meeting', async () => {
  const { meeting, host, guest } = await meetingWithRoom();
  const eve = await enter(meeting.id, 'Eve');
  eve.client.cut();
  await eve.client.closed;
  const again = await SignalingClient.open(eve.joined.signalingUrl, eve.joined.token);
  expect(names(await again.state())).toEqual(['Eve waiting']);
  again.cut();
  await again.closed;
  expect((await host.client.request('action', { action: 'admit', participantId: eve.id })).type).toBe('ok');
  const back = await SignalingClient.open(eve.joined.signalingUrl, eve.joined.token);
  const full = await back.state();
  expect(full.self).toMatchObject({ resumed: false });
  expect(names(full)).toEqual(['Host joined', 'Guest joined', 'Eve joined']);
  await back.leave();
  for (const { client } of [host, guest]) await client.leave();
});

test('closing the waiting room lets everyone in, opening it sends nobody out', async () => {
  const { meeting, hostToken, host, guest } = await meetingWithRoom();
  const [ann, bob] = [await enter(meeting.id, 'Ann'), await enter(meeting.id, 'Bob')];
  await patch(meeting.id, hostToken, { waitingRoom: false });
  for (const { client } of [ann, bob]) {
    expect(names(await client.state((update) => update.full === true))).toContain('Host joined');
  }
  await patch(meeting.id, hostToken, { waitingRoom: true });
  expect((await ann.client.request('offer', publishOffer())).type).toBe('answer');
  const eve = await enter(meeting.id, 'Eve');
  expect(names(eve.full)).toEqual(['Eve waiting']);
  // With the meeting waiting ends, too.
  await rest(server.url, 'DELETE', `/meetings/${meeting.id}`, { token: hostToken });
  expect((await eve.client.closed).code).toBe(4410);
  for (const { client } of [host, guest, ann, bob]) expect((await client.closed).code).toBe(4410);
});

test('who only waited was never there', async () => {
  const { meeting, host, guest } = await meetingWithRoom();
  const eve = await enter(meeting.id, 'Eve');
  eve.client.cut();
  await host.client.state(({ left }) => left?.[0]?.id === eve.id);
  for (const { client } of [host, guest]) await client.leave();
  const store = await openStore({ dataDir: server.dataDir }, { info() {}, warn() {} });
  expect(await store.participants.get(eve.id)).toBeUndefined();
  await expect.poll(() => store.participants.get(guest.id)).toMatchObject({ leaveReason: 'left' });
  await store.close();
});

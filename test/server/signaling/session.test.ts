import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishOffer } from '../../support/sdp.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, rest, SignalingClient } from '../../support/signaling.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ timings: { resumeWindowMs: 400 } });
});
afterAll(() => server.close());

const named = (name: string) => (update: { participants?: { name: string }[] }) =>
  update.participants?.some((participant) => participant.name === name) ?? false;

async function meetingOf(...names: string[]) {
  const { meeting, hostToken } = await createMeeting(server.url);
  const people = [];
  for (const name of names) people.push(await connect(server.url, meeting.id, name));
  return { meeting, hostToken, people };
}

describe('presence', () => {
  test('two participants see each other come and go', async () => {
    const { people } = await meetingOf('Ann', 'Bob');
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    expect(ann.state).toMatchObject({
      full: true,
      self: { participantId: ann.joined.participant.id, resumed: false },
      meeting: { status: 'in-progress' },
      participants: [{ name: 'Ann', state: 'joined', role: 'participant', tracks: [] }],
    });
    expect(bob.state.participants?.map(({ name }) => name)).toEqual(['Ann', 'Bob']);
    expect((await ann.client.state(named('Bob'))).full).toBeUndefined();
    await bob.client.leave();
    const gone = await ann.client.state((update) => update.left !== undefined);
    expect(gone.left).toEqual([{ id: bob.joined.participant.id, reason: 'left' }]);
    await ann.client.leave();
  });

  test('changes of the meeting reach everyone in it', async () => {
    const { meeting, hostToken, people } = await meetingOf('Ann');
    await rest(server.url, 'PATCH', `/meetings/${meeting.id}`, {
      token: hostToken,
      body: { title: 'Renamed' },
    });
    const update = await people[0]?.client.state((state) => !state.full && state.meeting !== undefined);
    expect(update?.meeting).toMatchObject({ title: 'Renamed' });
    await people[0]?.client.leave();
  });

  test('when the host ends the meeting, everyone is told and sent away', async () => {
    const { meeting, hostToken, people } = await meetingOf('Ann', 'Bob');
    await rest(server.url, 'DELETE', `/meetings/${meeting.id}`, { token: hostToken });
    for (const { client } of people) {
      expect((await client.next('bye')).payload.reason).toBe('ended');
      expect((await client.closed).code).toBe(4410);
    }
  });

  test('the last word of fifty people arrives everywhere, in order and without a gap', async () => {
    const { people } = await meetingOf(...Array.from({ length: 50 }, (_, i) => `P${i}`));
    const leaver = people.pop();
    const id = leaver?.joined.participant.id;
    await leaver?.client.leave();
    for (const { client } of people) {
      await client.state((update) => update.left?.some((left) => left.id === id) ?? false);
      const updates = client.messages.filter((message) => message.type === 'state-update');
      const versions = updates.map(({ payload }) => payload.version);
      expect(versions).toEqual(versions.map((_, i) => (versions[0] ?? 0) + i));
      const known = new Set(updates.flatMap(({ payload }) => payload.participants ?? []).map((p) => p.id));
      expect(known.size).toBe(50);
    }
    await Promise.all(people.map(({ client }) => client.leave()));
  });
});

describe('resuming', () => {
  test('a participant whose socket is cut comes back as the same one, with its media', async () => {
    const { people } = await meetingOf('Ann', 'Bob');
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    await ann.client.state(named('Bob'));
    const { sdp } = publishOffer();
    const reply = await bob.client.request('offer', { sdp });
    expect(reply).toMatchObject({ type: 'answer', payload: { tracks: [{ mid: '0' }] } });
    await ann.client.state((update) => update.participants?.[0]?.tracks.length === 1);
    bob.client.cut();
    await ann.client.state((update) => update.participants?.[0]?.state === 'reconnecting');
    const again = await SignalingClient.open(bob.joined.signalingUrl, bob.joined.token);
    const full = await again.state();
    expect(full.self).toEqual({ participantId: bob.joined.participant.id, resumed: true });
    expect(full.participants).toHaveLength(2);
    const back = await ann.client.state((update) => update.participants?.[0]?.state === 'joined');
    expect(back.participants?.[0]?.tracks).toHaveLength(1);
    expect(ann.client.messages.some((m) => m.type === 'state-update' && m.payload.left)).toBe(false);
    await again.leave();
    await ann.client.leave();
  });

  test('requests sent again after a drop are answered from memory', async () => {
    const { people } = await meetingOf('Ann');
    const { client, joined } = people[0] as (typeof people)[0];
    const offer = { type: 'offer', id: 77, payload: { sdp: publishOffer().sdp } };
    client.send(offer);
    const first = await client.next('answer');
    client.cut();
    const again = await SignalingClient.open(joined.signalingUrl, joined.token);
    await again.state();
    again.send(offer);
    expect(await again.next('answer')).toEqual(first);
    await again.leave();
  });

  test('an open offer of the server comes again, under its id', async () => {
    const { people } = await meetingOf('Ann', 'Bob');
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    await bob.client.request('offer', { sdp: publishOffer().sdp });
    await ann.client.request('subscribe', { audio: true, video: true });
    const offer = await ann.client.next('offer');
    expect(offer.payload.tracks).toMatchObject([{ participantId: bob.joined.participant.id, kind: 'audio' }]);
    ann.client.cut();
    const again = await SignalingClient.open(ann.joined.signalingUrl, ann.joined.token);
    await again.state();
    expect(await again.next('offer')).toEqual(offer);
    await again.leave();
    await bob.client.leave();
  });

  test('who does not come back in time has left', async () => {
    const { people } = await meetingOf('Ann', 'Bob');
    const [ann, bob] = people as [(typeof people)[0], (typeof people)[0]];
    bob.client.cut();
    const gone = await ann.client.state((update) => update.left !== undefined);
    expect(gone.left).toEqual([{ id: bob.joined.participant.id, reason: 'timeout' }]);
    // The token still lets the same participant in, from the beginning.
    const again = await SignalingClient.open(bob.joined.signalingUrl, bob.joined.token);
    expect((await again.state()).self).toEqual({ participantId: bob.joined.participant.id, resumed: false });
    await again.leave();
    await ann.client.leave();
  });

  test('who may not have learnt that it began begins again', async () => {
    const { people } = await meetingOf('Ann');
    const { client, joined } = people[0] as (typeof people)[0];
    client.cut();
    // The first message of that connection may have been lost with it.
    const again = await SignalingClient.open(joined.signalingUrl, joined.token);
    expect((await again.state()).self).toMatchObject({ resumed: false });
    await again.request('offer', publishOffer());
    again.cut();
    const third = await SignalingClient.open(joined.signalingUrl, joined.token);
    expect((await third.state()).self).toMatchObject({ resumed: true });
    await third.leave();
  });

  test('a second connection replaces the first one', async () => {
    const { people } = await meetingOf('Ann');
    const { client, joined } = people[0] as (typeof people)[0];
    await client.request('subscribe', { audio: true, video: true });
    const second = await SignalingClient.open(joined.signalingUrl, joined.token);
    expect((await second.state()).self).toMatchObject({ resumed: true });
    expect((await client.next('error')).payload.code).toBe('replaced');
    expect((await client.closed).code).toBe(4409);
    await second.leave();
  });
});

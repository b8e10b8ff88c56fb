/** Participants that are killed, stopped, or there twice: what the others see, and what is left of them. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { endMeeting } from '../../src/client/api.ts';
import { RESUME_WINDOW_MS } from '../../src/protocol/signaling.ts';
import { Tokens } from '../../src/server/auth/tokens.ts';
import { create, type MeetProcess, nothingLeft, serve, stopAll } from '../support/meet-process.ts';
import { SignalingClient } from '../support/signaling.ts';
import { expectWhole, idOf, mediaFrom, participant } from './meeting.ts';

/** How late a busy machine may be with what is promised for an instant. */
const SLACK_MS = 4_000;

let url: string;
const key = randomBytes(32);
beforeAll(async () => {
  const data = await mkdtemp(join(tmpdir(), 'meet-participant-fault-'));
  ({ url } = await serve(data, ['--token-key', key.toString('base64')]));
}, 60_000);
afterAll(async () => {
  await stopAll();
  await nothingLeft();
});

const until = async (who: MeetProcess, id: string, state: string, timeoutMs = 20_000) =>
  Number((await who.next('participant', (event) => event.id === id && event.state === state, timeoutMs)).at);

// Most of their time is waiting for what the protocol promises after so many seconds: they wait together.
test.concurrent('one that is killed is away at once, and has left when it could no longer come back', async () => {
  const meeting = await create(url);
  const [ada, bob] = [participant(meeting.url, 'Ada'), participant(meeting.url, 'Bob')];
  const bobId = await idOf(bob);
  await idOf(ada);
  await ada.waitFor('first-media');
  const [away, left] = [
    until(ada, bobId, 'reconnecting'),
    until(ada, bobId, 'left', RESUME_WINDOW_MS + 20_000),
  ];
  const killedAt = Date.now();
  bob.child.kill('SIGKILL');
  expect((await away) - killedAt).toBeLessThan(SLACK_MS);
  const gone = (await left) - killedAt;
  expect(gone).toBeGreaterThan(RESUME_WINDOW_MS - 1_000);
  expect(gone).toBeLessThan(RESUME_WINDOW_MS + SLACK_MS);
  expect(await ada.next('stats')).toMatchObject({ received: [] });
  expect(
    ada
      .all('participant')
      .filter(({ id }) => id === bobId)
      .map(({ state }) => state),
  ).toEqual(expect.arrayContaining(['joined', 'reconnecting', 'left']));
  expect(await ada.stop()).toBe(130);
}, 90_000);

test.concurrent('one that stands still for 15 s is away, and back as the same when it goes on', async () => {
  const meeting = await create(url);
  const [ada, bob] = [participant(meeting.url, 'Ada'), participant(meeting.url, 'Bob')];
  const [adaId, bobId] = await Promise.all([idOf(ada), idOf(bob)]);
  await Promise.all([mediaFrom(ada, bobId), mediaFrom(bob, adaId)]);
  const away = until(ada, bobId, 'reconnecting');
  const stoppedAt = Date.now();
  bob.child.kill('SIGSTOP');
  // The heartbeat finds it: pings every 4 s, 10 s of silence.
  expect((await away) - stoppedAt).toBeLessThan(10_000 + SLACK_MS);
  await delay(15_000 - (Date.now() - stoppedAt));
  const [back, reconnected] = [until(ada, bobId, 'joined'), bob.next('reconnected')];
  const media = [mediaFrom(ada, bobId), mediaFrom(bob, adaId)];
  bob.child.kill('SIGCONT');
  await Promise.all([back, reconnected, ...media]);
  await expectWhole([ada, bob]);
  expect(bob.all('joined')).toHaveLength(1);
  expect(new Set(ada.all('participant').map(({ id }) => id))).toEqual(new Set([adaId, bobId]));
  expect(await Promise.all([ada.stop(), bob.stop()])).toEqual([130, 130]);
}, 90_000);

test.concurrent('one whose token is used again gives way, with a sentence and without coming back', async () => {
  const meeting = await create(url);
  const ada = participant(meeting.url, 'Ada');
  const adaId = await idOf(ada);
  const { token } = await new Tokens(key, { ttlMs: 60_000, hostTtlMs: 60_000 }).issueParticipant({
    participantId: adaId,
    meetingId: meeting.id,
    role: 'participant',
    name: 'Ada',
    userId: null,
  });
  const signaling = `${url.replace('http', 'ws')}/signaling/${meeting.id}`;
  const other = await SignalingClient.open(signaling, token);
  const { code } = await ada.exited;
  expect(code).toBe(1);
  expect(ada.events.at(-1)).toMatchObject({ event: 'left', reason: 'replaced' });
  expect(ada.error).toMatchObject({ code: 'replaced' });
  expect((await other.next('state-update')).payload.self).toMatchObject({ participantId: adaId });
  other.socket.close();
}, 60_000);

test.concurrent('all leave a meeting that is ended, as planned', async () => {
  const meeting = await create(url);
  const everybody = [participant(meeting.url, 'Ada'), participant(meeting.url, 'Bob')];
  await Promise.all(everybody.map(idOf));
  await endMeeting({ server: url, meetingId: meeting.id }, meeting.hostToken);
  for (const who of everybody) {
    expect(await who.exited).toMatchObject({ code: 0 });
    expect(who.events.at(-1)).toMatchObject({ event: 'left', reason: 'ended' });
    expect(who.stderr).toBe('');
  }
}, 60_000);

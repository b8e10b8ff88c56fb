/** Many people in one meeting: what each is told stays little, and the server stays quick and small. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ParticipantInfo } from '../../../src/protocol/model.ts';
import { publishOffer } from '../../support/sdp.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { connect, createMeeting, type SignalingClient } from '../../support/signaling.ts';

const PEOPLE = 100;
/** Up to so many in the meeting each change goes out at once. */
const PROMPT = 50;
/** Beyond it so many milliseconds lie between two updates. */
const INTERVAL_MS = 100;
/** For both sides, since the clients run in this process, too; alone on the machine it was 45 ms. */
const MAX_LAG_MS = 400;

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

/** Everybody as the client knows them from its updates. */
function roster(client: SignalingClient): Map<string, ParticipantInfo> {
  const known = new Map<string, ParticipantInfo>();
  for (const message of client.messages) {
    if (message.type !== 'state-update') continue;
    for (const participant of message.payload.participants ?? []) known.set(participant.id, participant);
    for (const { id } of message.payload.left ?? []) known.delete(id);
  }
  return known;
}

const updates = (client: SignalingClient) =>
  client.messages.filter(({ type }) => type === 'state-update').length;

/** Waits until the client knows everybody and all of them pass. */
async function knows(client: SignalingClient, passes: (participant: ParticipantInfo) => boolean) {
  const complete = () => {
    const known = [...roster(client).values()];
    return known.length === PEOPLE && known.every(passes);
  };
  if (!complete()) await client.state(complete);
}

/** One meeting from the first join to the last leave; answers how much memory is in use after it. */
async function crowd(): Promise<number> {
  const { meeting } = await createMeeting(server.url);
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  let since = performance.now();
  const few = (most: number, before: readonly number[] = []) => {
    const allowed = most + (performance.now() - since) / INTERVAL_MS;
    for (const [i, client] of clients.entries()) {
      expect(updates(client) - (before[i] ?? 0)).toBeLessThanOrEqual(allowed);
    }
  };
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, (_, i) => connect(server.url, meeting.id, `P${i}`)),
  );
  const clients = people.map(({ client }) => client);
  await Promise.all(clients.map((client) => knows(client, ({ state }) => state === 'joined')));
  // The first message, one for each of those who came while there were few, and the coalesced ones.
  few(1 + PROMPT + 2);

  const before = clients.map(updates);
  since = performance.now();
  const replies = await Promise.all(clients.map((client) => client.request('offer', publishOffer())));
  expect(replies.every(({ type }) => type === 'answer')).toBe(true);
  await Promise.all(clients.map((client) => knows(client, ({ tracks }) => tracks.length === 1)));
  few(2, before);

  const [last, ...others] = clients;
  await Promise.all(others.map((client) => client.leave()));
  while (last !== undefined && roster(last).size > 1) await last.state();
  await last?.leave();
  lag.disable();
  expect(lag.percentile(99) / 1e6).toBeLessThan(MAX_LAG_MS);
  collectGarbage();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

test('a hundred join, publish and leave at once, again and again', async () => {
  await crowd();
  const first = await crowd();
  await crowd();
  const last = await crowd();
  // Nothing of a meeting stays: each takes some 10 MiB, clients included.
  expect(last - first).toBeLessThan(5);
}, 60_000);

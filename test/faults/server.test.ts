/** A server that is killed or stopped, and comes back or does not. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { create, type MeetProcess, nothingLeft, serve, stopAll } from '../support/meet-process.ts';
import { expectWhole, idOf, mediaFrom, participant } from './meeting.ts';

afterEach(async () => {
  await stopAll();
  await nothingLeft();
});

const dataFolder = () => mkdtemp(join(tmpdir(), 'meet-server-fault-'));

async function fullMeeting(url: string, args: readonly string[] = []) {
  const meeting = await create(url);
  const everybody = [participant(meeting.url, 'Ada', args), participant(meeting.url, 'Bob', args)];
  const ids = await Promise.all(everybody.map(idOf));
  await Promise.all(everybody.map((who, index) => mediaFrom(who, ids[1 - index]!)));
  return { meeting, everybody, ids };
}

async function backAgain(everybody: readonly MeetProcess[], ids: readonly string[], startedAt: number) {
  const media = await Promise.all(everybody.map((who, index) => mediaFrom(who, ids[1 - index]!, 30_000)));
  await Promise.all(everybody.map((who) => who.waitFor('reconnected', ({ at }) => Number(at) > startedAt)));
  await expectWhole(everybody);
  for (const who of everybody) {
    expect(who.all('joined')).toHaveLength(1);
    expect(new Set(who.all('participant').map(({ id }) => id))).toEqual(new Set(ids));
  }
  return Math.max(...media) - startedAt;
}

test.each(['SIGKILL', 'SIGTERM'] as const)(
  'after %s and a new start on the same data and port all are back by themselves, as the same',
  async (signal) => {
    const data = await dataFolder();
    const { server, url } = await serve(data);
    const { everybody, ids } = await fullMeeting(url);
    const noticed = everybody.map((who) => who.next('reconnecting'));
    server.child.kill(signal);
    await server.exited;
    await Promise.all(noticed);
    const again = await serve(data, ['--port', new URL(url).port]);
    expect(again.url).toBe(url);
    const startedAt = Number(again.server.events[0]?.at);
    // Generous: clients back off up to 1.5 s, and the benchmark has the figure.
    expect(await backAgain(everybody, ids, startedAt)).toBeLessThan(10_000);
    for (const who of everybody) expect(await who.stop()).toBe(130);
  },
  90_000,
);

test('when it does not come back they give up after --reconnect-timeout, with 4 and a sentence', async () => {
  const { server, url } = await serve(await dataFolder());
  const { everybody } = await fullMeeting(url, ['--reconnect-timeout', '3s']);
  const stoppedAt = Date.now();
  expect(await server.stop('SIGTERM')).toBe(0);
  expect(server.events.at(-1)).toMatchObject({ event: 'stopped' });
  for (const who of everybody) {
    expect((await who.exited).code).toBe(4);
    const attempts = who.all('reconnecting').map(({ attempt }) => attempt);
    expect(attempts.length).toBeGreaterThan(1);
    expect(attempts).toEqual(attempts.map((_, index) => index + 1));
    expect(who.events.at(-1)).toMatchObject({ event: 'left', reason: 'server-unreachable' });
    expect(who.error).toMatchObject({
      code: 'server-unreachable',
      message: expect.stringMatching(/^[A-Z].*\.$/),
    });
  }
  const tried = Date.now() - stoppedAt;
  expect(tried).toBeGreaterThan(2_500);
  expect(tried).toBeLessThan(12_000);
}, 60_000);

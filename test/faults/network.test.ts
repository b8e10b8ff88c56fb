/** Networks that break: media and signaling come back by themselves. The figures are the benchmark's. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  create,
  type MeetEvent,
  type MeetProcess,
  nothingLeft,
  serve,
  stopAll,
} from '../support/meet-process.ts';
import { noNamespaces, TwoHosts } from '../support/namespaces.ts';
import { expectWhole, idOf, mediaFrom, participant, receivedTracks } from './meeting.ts';

const missing = noNamespaces();
/** Far above what the benchmark allows: a busy machine must not fail these tests. */
const GENEROUS_MS = 15_000;

interface Meeting {
  readonly hosts: TwoHosts;
  readonly everybody: readonly MeetProcess[];
  readonly ids: readonly string[];
}

/** A server on one host, two participants on the other. */
async function farMeeting(): Promise<Meeting> {
  const hosts = await TwoHosts.create();
  const data = await mkdtemp(join(tmpdir(), 'meet-network-'));
  const { url } = await serve(data, ['--host', hosts.server.address], { prefix: hosts.server.prefix });
  const there = { prefix: hosts.client.prefix };
  const meeting = await create(url, [], there);
  const everybody = ['Ada', 'Bob'].map((name) => participant(meeting.url, name, [], there));
  const ids = await Promise.all(everybody.map(idOf));
  await allMedia({ hosts, everybody, ids });
  return { hosts, everybody, ids };
}

const allMedia = async ({ everybody, ids }: Meeting, timeoutMs?: number) =>
  Math.max(...(await Promise.all(everybody.map((who, index) => mediaFrom(who, ids[1 - index]!, timeoutMs)))));

const packets = (event: MeetEvent) => receivedTracks(event).reduce((sum, track) => sum + track.packets, 0);

describe.skipIf(missing !== undefined)('between two hosts', () => {
  let meeting: Meeting;
  beforeAll(async () => {
    meeting = await farMeeting();
  }, 90_000);
  afterAll(async () => {
    await stopAll();
    await meeting.hosts.close();
    await nothingLeft();
  });

  test('a UDP path that is cut is noticed, and used again when it is there again', async () => {
    const { hosts, everybody } = meeting;
    const noticed = everybody.map((who) => who.next('reconnecting'));
    await hosts.cut('all');
    await Promise.all(noticed);
    await hosts.restore();
    const restoredAt = Date.now();
    const back = everybody.map((who) => who.next('reconnected'));
    expect((await allMedia(meeting)) - restoredAt).toBeLessThan(GENEROUS_MS);
    await Promise.all(back);
    await expectWhole(everybody);
  }, 60_000);

  test('a WebSocket that gets nothing through for some seconds breaks nothing', async () => {
    const { hosts, everybody } = meeting;
    const before = everybody.map((who) => who.events.length);
    await hosts.cut('tcp');
    const flowing = everybody.map((who) => who.next('stats'));
    const [first] = await Promise.all(flowing);
    await delay(3_000);
    await hosts.restore();
    const after = await everybody[0]!.next('stats');
    expect(packets(after)).toBeGreaterThan(packets(first!) + 100);
    everybody.forEach((who, index) => {
      const since = new Set(who.events.slice(before[index]).map(({ event }) => event));
      expect(since).toEqual(new Set(['stats']));
    });
  }, 60_000);

  test('a WebSocket that is silent for too long is made anew while media flows on', async () => {
    const { hosts, everybody } = meeting;
    const noticed = everybody.map((who) => who.next('reconnecting', undefined, 20_000));
    await hosts.cut('tcp');
    await Promise.all(noticed);
    const during = await everybody[0]!.next('stats');
    const back = everybody.map((who) => who.next('reconnected', undefined, 30_000));
    await hosts.restore();
    await Promise.all(back);
    expect(packets(await everybody[0]!.next('stats'))).toBeGreaterThan(packets(during) + 30);
    await expectWhole(everybody);
    // Resumed, not joined anew: the tracks are the ones of before.
    for (const who of everybody) expect(who.all('joined')).toHaveLength(1);
  }, 90_000);

  test('UDP that is blocked for good is left for TCP', async () => {
    const { hosts, everybody } = meeting;
    const noticed = everybody.map((who) => who.next('reconnecting'));
    const back = everybody.map((who) => who.next('reconnected'));
    await hosts.cut('udp');
    await Promise.all([...noticed, ...back]);
    await allMedia(meeting);
    await expectWhole(everybody);
    for (const who of everybody) expect(await who.stop()).toBe(130);
  }, 60_000);
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMeeting } from '../../../src/client/api.ts';
import { joinMeeting, type MeetingClient } from '../../../src/client/index.ts';
import { sumOf } from '../../../src/load/run/server-metrics.ts';
import { openTestPattern } from '../../../src/media/file/test-pattern.ts';
import { mediaCacheDir } from '../../support/media-cache.ts';
import { startTestServer, type TestServer } from '../../support/server.ts';

let server: TestServer;
const clients: MeetingClient[] = [];

beforeAll(async () => {
  server = await startTestServer();
  const { meeting } = await createMeeting(server.url, {});
  const source = await openTestPattern({ cacheDir: mediaCacheDir() });
  clients.push(await joinMeeting({ meeting: meeting.url, displayName: 'Ada', source }));
  clients.push(await joinMeeting({ meeting: meeting.url, displayName: 'Bob' }));
  await Promise.all(clients.map((client) => client.whenConnected()));
}, 60_000);

afterAll(async () => {
  await Promise.all(clients.map((client) => client.leave()));
  await server?.close();
});

const read = async (url = server.url, headers = {}) => fetch(`${url}/metrics`, { headers });

/** Waits until a figure is as it should be. */
async function until(metric: string, fits: (value: number | undefined) => boolean): Promise<string> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    const text = await (await read()).text();
    const value = sumOf(text, metric);
    if (fits(value)) return text;
    if (performance.now() > deadline) throw new Error(`${metric} is ${value}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test('who is there and what is sent', async () => {
  const text = await until('meet_consumers', (value) => value === 2);
  expect(sumOf(text, 'meet_meetings')).toBe(1);
  expect(sumOf(text, 'meet_participants')).toBe(2);
  expect(sumOf(text, 'meet_producers')).toBe(2);
  expect((await read()).headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
});

test('what passes through it, in both directions', async () => {
  const text = await until('meet_rtp_packets_total', (value) => (value ?? 0) > 100);
  for (const direction of ['in', 'out']) {
    for (const kind of ['audio', 'video']) {
      const line = new RegExp(
        `^meet_rtp_packets_total\\{direction="${direction}",kind="${kind}"\\} (\\d+)`,
        'm',
      );
      expect(Number(line.exec(text)?.[1])).toBeGreaterThan(0);
    }
  }
  expect(sumOf(text, 'meet_rtp_bytes_total')).toBeGreaterThan(10_000);
});

test('how long joining took, and what the processes use', async () => {
  const text = await until('meet_join_seconds_count', (value) => value === 2);
  expect(sumOf(text, 'meet_join_seconds_sum')).toBeLessThan(20);
  expect(sumOf(text, 'meet_worker_cpu_seconds_total')).toBeGreaterThan(0);
  expect(sumOf(text, 'meet_worker_memory_bytes')).toBeGreaterThan(1e6);
  expect(sumOf(text, 'meet_worker_rooms')).toBe(1);
  expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds /m);
  expect(text).toMatch(/^meet_layer_switches_total [1-9]/m);
});

test('no label names a meeting or a participant', async () => {
  const text = await (await read()).text();
  for (const client of clients) {
    expect(text).not.toContain(client.self.id);
    expect(text).not.toContain(client.meeting.id);
  }
});

test('a worker that dies is counted, and its CPU time does not fall', async () => {
  const before = sumOf(await (await read()).text(), 'meet_worker_cpu_seconds_total')!;
  process.kill(server.sfu.workers()[0]!.pid, 'SIGKILL');
  await until('meet_worker_deaths_total', (value) => value === 1);
  const text = await until('meet_worker_cpu_seconds_total', (value) => value !== undefined);
  expect(sumOf(text, 'meet_worker_cpu_seconds_total')).toBeGreaterThanOrEqual(before);
});

describe('with a token', () => {
  let guarded: TestServer;
  beforeAll(async () => {
    guarded = await startTestServer({ metricsToken: 'open sesame' });
  });
  afterAll(() => guarded?.close());

  test.each([
    [{}, 401],
    [{ authorization: 'Bearer open' }, 401],
    [{ authorization: 'Bearer open sesame' }, 200],
  ])('%j gives %i', async (headers, status) => {
    const reply = await read(guarded.url, headers);
    expect(reply.status).toBe(status);
    if (status === 401) expect(await reply.json()).toMatchObject({ error: { code: 'unauthorized' } });
  });
});

/** What the tester says is what happened: loss, delay and a standing server, injected between two hosts. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hosts, type ImpairedHost, noHosts } from '../../bench/network/links/hosts.ts';
import type { RunResult } from '../../src/load/index.ts';
import { childrenRunning, type MeetProcess, meet, serve, stopAll } from '../support/meet-process.ts';

/** All figures are to be this near to what was injected. */
const TOLERANCE = 0.1;
/** A busy machine is no reason not to look at the figures here. */
const ANY_LAG = ['--max-lag', '1h'];
const ENCODING_MS = 120_000;

describe.skipIf(noHosts() !== undefined)('a run behind an impaired cable', () => {
  let folder: string;
  let hosts: Hosts;
  let host: ImpairedHost;
  let server: MeetProcess;
  let url: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meet-truth-'));
    hosts = await Hosts.create();
    host = await hosts.addImpaired(11);
    const { serverAddress } = hosts;
    const started = await serve(
      join(folder, 'data'),
      ['--host', serverAddress, '--rtc-address', serverAddress],
      { prefix: hosts.server.prefix },
    );
    server = started.server;
    url = started.url;
  }, 60_000);

  afterAll(async () => {
    await stopAll();
    await hosts?.close();
    await rm(folder, { recursive: true, force: true });
  });

  const load = (args: readonly string[]) =>
    meet(['load', url, '--json', '--workers', '1', '--audio', '--ramp', '40/s', ...ANY_LAG, ...args], {
      prefix: host.prefix,
    });

  const resultOf = async (run: MeetProcess): Promise<RunResult> => {
    const { result } = await run.waitFor('result', undefined, ENCODING_MS);
    return result as unknown as RunResult;
  };

  const steady = (result: RunResult) => result.phases.find(({ name }) => name === 'steady')!.figures;

  test.each([
    { loss: 0.01, video: 'none', bots: 100, packets: 200_000 },
    { loss: 0.05, video: '720p', bots: 20, packets: 30_000 },
  ])(
    'counts a loss of $loss',
    async ({ loss, video, bots, packets }) => {
      const run = load(['--video', video, '--bots', String(bots), '--duration', '10m']);
      // Where the clips are not encoded yet, they are first.
      await run.waitFor('progress', undefined, ENCODING_MS);
      await host.change({ loss, direction: 'down' });
      // A busy machine sends less; the run ends when there is enough to judge.
      await run.waitFor('progress', ({ expected }) => Number(expected) >= packets, ENCODING_MS);
      run.child.kill('SIGINT');
      const result = await resultOf(run);
      await host.change({ loss: 0, direction: 'down' });
      const figures = steady(result);
      expect(result.counters.expected).toBeGreaterThanOrEqual(packets);
      expect(Math.abs(figures.loss! / loss - 1)).toBeLessThan(TOLERANCE);
      // Retransmission mends nearly all of it.
      expect(figures.residual_loss).toBeLessThan(loss / 10);
      expect(result.counters.retransmitted).toBeGreaterThan(0);
      expect(result.counters.corrupt).toBe(0);
    },
    300_000,
  );

  test('a delay of 40 ms is the difference between two runs', async () => {
    const args = ['--video', '180p', '--bots', '5', '--duration', '5s'];
    const before = steady(await resultOf(load(args)));
    await host.change({ delay: 40, direction: 'down' });
    const after = steady(await resultOf(load(args)));
    await host.change({ delay: 0, direction: 'down' });
    const difference = (name: string) => after[name]! - before[name]!;
    for (const kind of ['video', 'audio']) {
      // The least delayed packet has waited for nothing else; the usual one waits for a busy machine, too.
      expect(Math.abs(difference(`${kind}_latency_min`) / 40 - 1)).toBeLessThan(TOLERANCE);
      expect(Math.abs(difference(`${kind}_latency_p50`) / 40 - 1)).toBeLessThan(3 * TOLERANCE);
    }
  }, 240_000);

  test('a server that stands still for 500 ms', async () => {
    const run = load(['--video', '180p', '--bots', '5', '--duration', '6s']);
    await run.waitFor('progress', ({ phase }) => phase === 'steady', ENCODING_MS);
    const pids = [server.child.pid!, ...(await childrenRunning()).map(({ pid }) => pid)];
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    const stoppedAt = performance.now();
    await delay(500);
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    const stoodMs = performance.now() - stoppedAt;
    const result = await resultOf(run);
    const figures = steady(result);
    expect(Math.abs(figures.freeze_max! / stoodMs - 1)).toBeLessThan(TOLERANCE);
    expect(Math.abs(figures.media_latency_max! / stoodMs - 1)).toBeLessThan(TOLERANCE);
    // One for each bot that was being sent a picture, and none besides.
    expect(result.counters.freezes).toBeGreaterThanOrEqual(3);
    expect(result.counters.freezes).toBeLessThanOrEqual(5);
    expect(result.outages.map(({ kind }) => kind)).toEqual(['silent']);
    expect(Math.abs(result.outages[0]!.ms / stoodMs - 1)).toBeLessThan(0.4);
  }, 180_000);

  test('a server that is killed is reported with the time it was away', async () => {
    const file = join(folder, 'killed.json');
    const port = new URL(url).port;
    const run = meet(
      [
        'load',
        url,
        '--json',
        file,
        ...ANY_LAG,
        '--workers',
        '1',
        '--bots',
        '5',
        '--audio',
        '--duration',
        '12s',
      ],
      { prefix: host.prefix },
    );
    // Without NDJSON it says how it stands in lines.
    while (!/steady/.test(run.stdout)) await delay(100);
    await server.stop('SIGKILL');
    const killedAt = performance.now();
    await delay(2_000);
    const { serverAddress } = hosts;
    const args = ['--port', port, '--host', serverAddress, '--rtc-address', serverAddress];
    server = (await serve(join(folder, 'data'), args, { prefix: hosts.server.prefix })).server;
    const awayMs = performance.now() - killedAt;
    const { code } = await run.exited;
    expect(code).toBe(0);
    const result = JSON.parse(await readFile(file, 'utf8')) as RunResult;
    const [outage, ...others] = result.outages.filter(({ kind }) => kind === 'refused');
    expect(others).toEqual([]);
    expect(Math.abs(outage!.ms / awayMs - 1)).toBeLessThan(0.15);
    expect(outage!.lasting).toBe(false);
    expect(run.stdout).toMatch(/The server was away for \d+(\.\d+)? s/);
    // All came back, and what stood still is counted.
    expect(result.counters.reconnects).toBe(6);
    expect(result.counters.dropped).toBe(0);
    expect(result.figures.freeze_max).toBeGreaterThan(awayMs * 0.9);
  }, 90_000);
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Hosts, noHosts } from '../../../bench/network/links/hosts.ts';

const run = promisify(execFile);

/** Round trips of pings that were answered, milliseconds. */
async function ping(
  prefix: readonly string[],
  address: string,
  count: number,
  bytes = 56,
): Promise<number[]> {
  const words = ['ping', '-n', '-c', String(count), '-i', '0.02', '-W', '1', '-s', String(bytes), address];
  const [program, ...rest] = [...prefix, ...words];
  // It ends with 1 when no ping was answered.
  const { stdout } = await run(program!, rest).catch((error: { stdout: string }) => error);
  return [...stdout.matchAll(/time=([\d.]+)/g)].map((match) => Number(match[1]));
}

const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

describe.skipIf(noHosts() !== undefined)('hosts around a server', () => {
  let hosts: Hosts;
  beforeAll(async () => {
    hosts = await Hosts.create();
  });
  afterAll(() => hosts.close());

  test('are delayed and lose packets as they are told, from one packet to the next', async () => {
    const host = await hosts.addImpaired(7);
    expect(median(await ping(host.prefix, hosts.serverAddress, 10))).toBeLessThan(20);
    await host.change({ delay: 40 });
    expect(median(await ping(host.prefix, hosts.serverAddress, 10))).toBeGreaterThanOrEqual(80);
    await host.change({ delay: 0, loss: 0.5 });
    const answered = (await ping(host.prefix, hosts.serverAddress, 100)).length;
    // 25 expected, three standard deviations either way.
    expect(answered).toBeGreaterThan(11);
    expect(answered).toBeLessThan(39);
    await host.change({ loss: 1, direction: 'up' });
    const { up } = await host.change({ loss: 0 });
    expect(up.lost).toBeGreaterThan(0);
    expect(await ping(host.prefix, hosts.serverAddress, 5)).toHaveLength(5);
  });

  test('have a rate that changes in one step', async () => {
    const host = await hosts.addWired();
    await host.setRate('up', 10_000_000);
    await ping(host.prefix, hosts.serverAddress, 1);
    await host.setRate('up', 80_000);
    // 1,042 bytes take 104 ms each; a burst of eight passes first.
    const trips = await ping(host.prefix, hosts.serverAddress, 40, 1_000);
    expect(Math.max(...trips)).toBeGreaterThan(150);
    await host.setRate('up', 10_000_000);
    expect(median(await ping(host.prefix, hosts.serverAddress, 5, 1_000))).toBeLessThan(50);
  });
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import type { Sfu } from '../../../src/server/sfu/index.ts';
import { nextOffer, startSfu } from './harness.ts';
import { acceptAll, offer, section } from './offers.ts';

const started: Sfu[] = [];
async function start(...options: Parameters<typeof startSfu>): Promise<Sfu> {
  const sfu = await startSfu(...options);
  started.push(sfu);
  return sfu;
}
afterEach(() => Promise.all(started.splice(0).map((sfu) => sfu.close())));

const av = offer([section(), section({ kind: 'video', mid: '1' })]);
const alive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('the pool', () => {
  test('each worker has ports of its own, and a room goes to the least loaded', async () => {
    const sfu = await start({ numWorkers: 2 });
    const workers = sfu.workers();
    expect(new Set(workers.flatMap(({ pid, udpPort }) => [pid, udpPort])).size).toBe(4);
    const rooms = await Promise.all(['a', 'b'].map((id) => sfu.createRoom(id)));
    expect(sfu.workers().map(({ rooms: count }) => count)).toEqual([1, 1]);
    for (const room of rooms) room.close();
    expect(sfu.workers().map(({ rooms: count }) => count)).toEqual([0, 0]);
    expect((await sfu.resourceUsage()).every(({ maxRssKiB }) => maxRssKiB > 1000)).toBe(true);
  });

  test('fixed ports count up by worker, on IPv4 and IPv6', async () => {
    const probe = await start();
    const [free] = probe.workers();
    await probe.close();
    const listen = [{ ip: '127.0.0.1', announcedAddress: '192.0.2.7' }, { ip: '::1' }];
    const sfu = await start({ listen, udpPort: free!.udpPort, tcpPort: free!.tcpPort });
    expect(sfu.workers()).toMatchObject([{ udpPort: free!.udpPort, tcpPort: free!.tcpPort }]);
    const { sdp } = await (await sfu.createRoom('x')).addPeer('p').publish({ sdp: av });
    const candidates = sdp.split('\r\n').filter((line) => line.startsWith('a=candidate'));
    expect(candidates.map((line) => line.split(' ').slice(2, 6).join(' ').replace(/ \d+ /, ' '))).toEqual([
      `udp 192.0.2.7 ${free!.udpPort}`,
      `udp ::1 ${free!.udpPort}`,
      `tcp 192.0.2.7 ${free!.tcpPort}`,
      `tcp ::1 ${free!.tcpPort}`,
    ]);
  });

  test('closing ends the processes and may be done twice', async () => {
    const sfu = await start({ numWorkers: 2 });
    const pids = sfu.workers().map(({ pid }) => pid);
    await Promise.all([sfu.close(), sfu.close()]);
    expect(pids.filter(alive)).toEqual([]);
    await expect(sfu.createRoom('late')).rejects.toMatchObject({ code: 'server-stopping' });
  });

  test('leaves SIGINT and SIGTERM to the process', async () => {
    const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
    await start();
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
  });
});

describe('what keeps it from starting', () => {
  test('no worker binary', async () => {
    await expect(startSfu({ workerBin: '/nowhere/mediasoup-worker' })).rejects.toMatchObject({
      code: 'worker-missing',
      hint: expect.stringContaining('meet setup'),
    });
  });

  test('a binary that is no worker', async () => {
    await expect(startSfu({ workerBin: '/bin/false' })).rejects.toMatchObject({ code: 'worker-died' });
  });

  test('a port that is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(startSfu({ tcpPort: port })).rejects.toMatchObject({ code: 'port-in-use' });
    other.close();
  });

  test('an address that this machine has not', async () => {
    await expect(startSfu({ listen: [{ ip: '192.0.2.1' }] })).rejects.toMatchObject({ code: 'bad-config' });
    await expect(startSfu({ listen: [] })).rejects.toMatchObject({ code: 'bad-config' });
  });
});

describe('a worker that is killed', () => {
  test('is replaced on the same ports, and its rooms can be used again at once', async () => {
    const sfu = await start();
    const room = await sfu.createRoom('x');
    const [alice, bob] = [room.addPeer('alice'), room.addPeer('bob')];
    await alice.publish({ sdp: av });
    const offered = nextOffer(bob);
    await bob.setSubscription({ audio: true, video: true });
    await bob.answer(acceptAll((await offered).sdp));
    const [before] = sfu.workers();

    const reset = once(room, 'reset');
    const died = once(sfu, 'worker-died');
    const replaced = once(sfu, 'worker-started');
    const killedAt = performance.now();
    process.kill(before!.pid, 'SIGKILL');
    expect(await reset).toEqual([{ reason: 'worker-died' }]);
    expect(await died).toMatchObject([{ pid: before!.pid }]);
    expect(alice.tracks).toEqual([]);

    // Before the replacement runs: it waits for it.
    await alice.publish({ sdp: av });
    const again = nextOffer(bob);
    await bob.setSubscription({ audio: true, video: true });
    const second = await again;
    expect(second).toMatchObject({ reset: true });
    await bob.answer(acceptAll(second.sdp));
    expect(performance.now() - killedAt).toBeLessThan(2000);
    await replaced;
    expect(sfu.workers()).toMatchObject([{ udpPort: before!.udpPort, tcpPort: before!.tcpPort, rooms: 1 }]);
    expect(sfu.workers()[0]?.pid).not.toBe(before!.pid);
  });

  test('its rooms move to a live one, the others notice nothing', async () => {
    const sfu = await start({ numWorkers: 2 });
    const rooms = await Promise.all(['a', 'b'].map((id) => sfu.createRoom(id)));
    const resets: string[] = [];
    for (const room of rooms) room.on('reset', () => resets.push(room.id));
    const [victim] = sfu.workers();
    const died = once(sfu, 'worker-died');
    process.kill(victim!.pid, 'SIGKILL');
    await died;
    expect(resets).toHaveLength(1);
    for (const room of rooms) await room.addPeer('p').publish({ sdp: av });
    expect(sfu.workers().reduce((sum, { rooms: count }) => sum + count, 0)).toBe(2);
  });

  test('what is under way fails with worker-died, and only that', async () => {
    const sfu = await start();
    const room = await sfu.createRoom('x');
    const peers = Array.from({ length: 20 }, (_, index) => room.addPeer(String(index)));
    await Promise.all(peers.map((peer) => peer.setSubscription({ audio: true, video: true })));
    const publishing = peers.map((peer) => peer.publish({ sdp: av }));
    const reset = once(room, 'reset');
    process.kill(sfu.workers()[0]!.pid, 'SIGKILL');
    const results = await Promise.allSettled(publishing);
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
    expect(new Set(failures)).toEqual(new Set(failures.length > 0 ? ['worker-died'] : []));
    await reset;
    await Promise.all(peers.map((peer) => peer.publish({ sdp: av })));
    expect(peers.every(({ tracks }) => tracks.length === 2)).toBe(true);
  });

  test('again and again', async () => {
    const sfu = await start();
    const room = await sfu.createRoom('x');
    const peer = room.addPeer('p');
    for (let round = 0; round < 5; round++) {
      const reset = once(room, 'reset');
      process.kill(sfu.workers()[0]!.pid, 'SIGKILL');
      await reset;
      await peer.publish({ sdp: av });
    }
  });
});

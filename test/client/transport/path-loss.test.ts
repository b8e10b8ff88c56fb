import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { connected, opened, overProxy, pair, sfuOf, udpPort } from './fixture.ts';
import { accept, remoteOf, Sfu } from './sfu.ts';
import { UdpProxy } from './udp-proxy.ts';

describe('liveness', () => {
  test('a cut path is noticed within 2.5 s, and its return at once', async () => {
    const sfu = await sfuOf();
    const [client, server] = await pair(sfu);
    const proxy = opened(await UdpProxy.to(udpPort(server)));
    await accept(server, client.local);
    await client.connect(overProxy(proxy)(remoteOf(server)));
    proxy.blocked = true;
    const cutAt = performance.now();
    expect(await once(client, 'state')).toEqual(['disconnected']);
    expect(performance.now() - cutAt).toBeLessThan(2500);
    proxy.blocked = false;
    const backAt = performance.now();
    expect(await once(client, 'state')).toEqual(['connected']);
    expect(performance.now() - backAt).toBeLessThan(700);
  });

  test('a path with a round trip of half a second connects and does not flap', async () => {
    const sfu = await sfuOf();
    const [client, server] = await pair(sfu);
    const proxy = opened(await UdpProxy.to(udpPort(server)));
    proxy.delayMs = 250;
    await accept(server, client.local);
    const { iceMs } = await client.connect(overProxy(proxy)(remoteOf(server)));
    expect(iceMs).toBeGreaterThan(490);
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    // A silent path, on which only the checks and their answers pass: this takes about three seconds.
    for (let packets = 0; packets < 10; packets++) await once(proxy, 'forwarded');
    expect(states).toEqual([]);
  });

  test('a closed TCP connection is noticed at once', async () => {
    const sfu = await sfuOf({ protocols: ['tcp'] });
    const { client, server } = await connected(sfu);
    const state = once(client, 'state');
    server.close();
    expect(['disconnected', 'failed']).toContain((await state)[0]);
  });

  test('a server that closes the transport ends it', async () => {
    const sfu = await sfuOf();
    const { client, server } = await connected(sfu);
    const state = once(client, 'state');
    server.close();
    expect(await state).toEqual(['failed']);
    await expect(client.restartIce()).rejects.toMatchObject({ code: 'connection-failed' });
  });

  test('a worker that is killed is noticed', async () => {
    const sfu = await Sfu.start();
    const { client } = await connected(sfu);
    const state = once(client, 'state');
    process.kill(sfu.worker.pid, 'SIGKILL');
    expect(await state).toEqual(['disconnected']);
    client.send(Buffer.alloc(100, 0x80));
    sfu.close();
  });
});

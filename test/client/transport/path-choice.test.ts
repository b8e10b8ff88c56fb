import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createCertificate } from '../../../src/client/transport/certificate.ts';
import { MediaTransport } from '../../../src/client/transport/media-transport.ts';
import type { RemoteTransportParameters } from '../../../src/client/transport/types.ts';
import { connected, opened, overProxy, pair, sfuOf, udpPort } from './fixture.ts';
import { accept, remoteOf } from './sfu.ts';
import { UdpProxy } from './udp-proxy.ts';

describe('the choice of a path', () => {
  test('UDP wins over TCP even when its first check is lost', async () => {
    const sfu = await sfuOf();
    const [client, server] = await pair(sfu);
    const proxy = opened(await UdpProxy.to(udpPort(server)));
    proxy.blocked = true;
    setTimeout(() => {
      proxy.blocked = false;
    }, 50);
    await accept(server, client.local);
    const remote = remoteOf(server);
    const tcp = remote.candidates.filter((candidate) => candidate.includes('tcp'));
    await client.connect({ ...remote, candidates: [...tcp, ...overProxy(proxy)(remote).candidates] });
    expect(client.path).toMatchObject({ protocol: 'udp', remotePort: proxy.port });
  });

  test('TCP is connected within a second where UDP is blocked', async () => {
    const sfu = await sfuOf();
    const blackHole = createSocket('udp4');
    blackHole.bind(0, '127.0.0.1');
    await once(blackHole, 'listening');
    opened(blackHole);
    const { client, iceMs, dtlsMs } = await connected(sfu, (remote) => ({
      ...remote,
      candidates: [
        `hole 1 udp 9 127.0.0.1 ${blackHole.address().port} typ host`,
        ...remote.candidates.filter((candidate) => candidate.includes('tcp')),
      ],
    }));
    expect(client.path?.protocol).toBe('tcp');
    expect(iceMs + dtlsMs).toBeLessThan(1000);
  });

  test('mDNS, unreachable and malformed candidates do no harm', async () => {
    const sfu = await sfuOf();
    const { client } = await connected(sfu, (remote) => ({
      ...remote,
      candidates: [
        '1 1 udp 2130706431 5b6e7d2c-9d6c-4d0a-8c4e-4f0b4a8a7c11.local 5000 typ host',
        'nonsense',
        '2 1 udp 2130706430 0.0.0.1 5000 typ host',
        '3 1 udp 2130706429 fe80::1 5000 typ host',
        '4 1 udp 2130706428 does-not-exist.invalid 5000 typ host',
        '5 1 tcp 2130706427 127.0.0.1 1 typ host tcptype passive',
        ...remote.candidates,
      ],
    }));
    expect(client.path?.remoteAddress).toBe('127.0.0.1');
  });

  test('a candidate that trickles in later and one with a host name are used', async () => {
    const sfu = await sfuOf();
    const [client, server] = await pair(sfu);
    await accept(server, client.local);
    const connecting = client.connect({ ...remoteOf(server), candidates: [] });
    client.addRemoteCandidate(`x 1 udp 5 localhost ${udpPort(server)} typ host`);
    await connecting;
    expect(client.path?.remotePort).toBe(udpPort(server));
  });
});

describe('a connection that cannot be', () => {
  test('ends after the time limit with a sentence that says what was tried', async () => {
    const refusing = createServer().listen(0, '127.0.0.1');
    await once(refusing, 'listening');
    const { port } = refusing.address() as { port: number };
    refusing.close();
    await once(refusing, 'close');
    const client = opened(await MediaTransport.create({ connectTimeoutMs: 300 }));
    const states: string[] = [];
    client.on('state', (state) => states.push(state));
    const remote: RemoteTransportParameters = {
      usernameFragment: 'x',
      password: 'y',
      iceLite: true,
      candidates: [
        `1 1 udp 1 127.0.0.1 ${port} typ host`,
        `2 1 tcp 1 127.0.0.1 ${port} typ host tcptype passive`,
      ],
      fingerprints: [{ algorithm: 'sha-256', value: createCertificate().fingerprint }],
      dtlsRole: 'client',
    };
    const error: unknown = await client.connect(remote).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'connection-failed' });
    expect((error as Error).message).toBe(
      `No media path to the server within 0.3 s: tried UDP to 127.0.0.1:${port} (no answer), ` +
        `TCP to 127.0.0.1:${port} (the connection was refused).`,
    );
    expect(states).toEqual(['connecting', 'failed']);
  });

  test('says so when the peer is found but its DTLS is not', async () => {
    const sfu = await sfuOf();
    const [client, server] = await pair(sfu, { connectTimeoutMs: 300 });
    // The server has not been told that it is the client, so neither begins.
    const error: unknown = await client
      .connect(remoteOf(server, 'server'))
      .catch((reason: unknown) => reason);
    expect((error as Error).message).toContain('did not finish the DTLS handshake');
  });

  test('the wrong fingerprint is refused', async () => {
    const sfu = await sfuOf();
    const other = [{ algorithm: 'sha-256', value: createCertificate().fingerprint }];
    await expect(connected(sfu, (remote) => ({ ...remote, fingerprints: other }))).rejects.toMatchObject({
      code: 'peer-not-verified',
    });
  });

  test('close() ends it', async () => {
    const client = await MediaTransport.create({});
    const connecting = client.connect({
      ...remoteOf(opened(await (await sfuOf()).transport())),
      candidates: [],
    });
    client.close();
    client.close();
    await expect(connecting).rejects.toMatchObject({ code: 'connection-failed' });
    expect(client.state).toBe('closed');
    client.send(Buffer.alloc(100, 0x80));
  });
});

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { types } from 'mediasoup';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { IceCandidate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport } from 'werift';
import { createCertificate } from '../../../src/client/transport/certificate.ts';
import { MediaTransport } from '../../../src/client/transport/media-transport.ts';
import type { RemoteTransportParameters, TransportOptions } from '../../../src/client/transport/types.ts';
import { accept, receiveFrom, remoteOf, Sfu, type SfuOptions, Srtp, sendTo } from './sfu.ts';
import { UdpProxy } from './udp-proxy.ts';

const sfus = new Map<string, Sfu>();
const open: { close(): void }[] = [];
const opened = <T extends { close(): void }>(resource: T): T => {
  open.push(resource);
  return resource;
};

const hasIpv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

async function sfuOf(options: SfuOptions = {}): Promise<Sfu> {
  const key = JSON.stringify(options);
  const known = sfus.get(key);
  if (known !== undefined) return known;
  const sfu = await Sfu.start(options);
  sfus.set(key, sfu);
  return sfu;
}

async function pair(
  sfu: Sfu,
  options: TransportOptions = {},
): Promise<[MediaTransport, types.WebRtcTransport]> {
  const server = opened(await sfu.transport());
  return [opened(await MediaTransport.create(options)), server];
}

async function connected(
  sfu: Sfu,
  change: (remote: RemoteTransportParameters) => RemoteTransportParameters = (remote) => remote,
  role: 'client' | 'server' = 'client',
) {
  const [client, server] = await pair(sfu);
  await accept(server, client.local, role);
  const result = await client.connect(change(remoteOf(server, role)));
  return { client, server, srtp: new Srtp(result.keys), ...result };
}

/** Sends until it is received; the path may lose what is sent while it changes. */
async function passes(
  send: (text: string) => void,
  received: (listener: (text: string) => void) => void,
  text: string,
) {
  const arrived = Promise.withResolvers<void>();
  received((each) => each === text && arrived.resolve());
  const timer = setInterval(() => send(text), 20);
  await arrived.promise.finally(() => clearInterval(timer));
}

const overProxy =
  (proxy: UdpProxy) =>
  (remote: RemoteTransportParameters): RemoteTransportParameters => ({
    ...remote,
    candidates: [`proxy 1 udp 1 127.0.0.1 ${proxy.port} typ host`],
  });

const udpPort = (transport: types.WebRtcTransport): number =>
  transport.iceCandidates.find(({ protocol }) => protocol === 'udp')!.port;

beforeAll(() => sfuOf());
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});
afterAll(() => {
  for (const sfu of sfus.values()) sfu.close();
});

describe.each([
  ['UDP', {}, 'client', 'udp', '127.0.0.1'],
  ['UDP as the DTLS server', {}, 'server', 'udp', '127.0.0.1'],
  ['TCP only', { protocols: ['tcp'] }, 'client', 'tcp', '127.0.0.1'],
  ['TCP only as the DTLS server', { protocols: ['tcp'] }, 'server', 'tcp', '127.0.0.1'],
  ['IPv6', { ip: '::1' }, 'client', 'udp', '::1'],
  ['IPv6 over TCP', { ip: '::1', protocols: ['tcp'] }, 'client', 'tcp', '::1'],
] as const)('over %s', (_what, options, role, protocol, remoteAddress) => {
  test.skipIf(remoteAddress === '::1' && !hasIpv6)('media passes both ways', async () => {
    const sfu = await sfuOf(options);
    const { client, server, srtp, keys } = await connected(sfu, undefined, role);
    expect(keys.profile).toBe('AEAD_AES_128_GCM');
    expect(client.state).toBe('connected');
    expect(client.path).toMatchObject({ protocol, remoteAddress, localType: 'host' });
    let deliver: (text: string) => void = () => undefined;
    await receiveFrom(sfu, server, (payload) => deliver(payload));
    await passes(
      (text) => client.send(srtp.protect(text)),
      (listener) => {
        deliver = listener;
      },
      'up',
    );
    const send = await sendTo(sfu, server);
    await passes(
      send,
      (listener) =>
        client.on('packet', (packet) => {
          const payload = srtp.open(packet);
          if (payload !== undefined) listener(payload);
        }),
      'down',
    );
    expect(performance.now() - client.lastReceivedAt).toBeLessThan(1000);
  });
});

describe('an ICE restart', () => {
  test('takes over without a new DTLS handshake, and media flows on', async () => {
    const sfu = await sfuOf();
    const { client, server, srtp } = await connected(sfu);
    const dtlsStates: string[] = [];
    server.on('dtlsstatechange', (state) => dtlsStates.push(state));
    let deliver: (text: string) => void = () => undefined;
    await receiveFrom(sfu, server, (payload) => deliver(payload));
    const send = await sendTo(sfu, server);
    const before = { local: client.local, tuple: server.iceSelectedTuple };
    const up = (text: string) =>
      passes(
        (each) => client.send(srtp.protect(each)),
        (listener) => {
          deliver = listener;
        },
        text,
      );
    const down = (text: string) =>
      passes(
        send,
        (listener) =>
          client.on('packet', (packet) => {
            const payload = srtp.open(packet);
            if (payload !== undefined) listener(payload);
          }),
        text,
      );
    await up('before');
    for (const round of ['first', 'second']) {
      const iceParameters = await server.restartIce();
      const local = await client.restartIce();
      expect(local.usernameFragment).not.toBe(before.local.usernameFragment);
      expect(local.fingerprint).toBe(before.local.fingerprint);
      await up(`during the ${round}`);
      const path = once(client, 'path');
      await client.connectRestarted({ ...remoteOf(server), ...iceParameters });
      await path;
      expect(client.local.usernameFragment).toBe(local.usernameFragment);
      await up(`up after the ${round}`);
      await down(`down after the ${round}`);
    }
    expect(server.iceSelectedTuple?.remotePort).not.toBe(before.tuple?.remotePort);
    expect(dtlsStates.filter((state) => state !== 'connected')).toEqual([]);
    expect(client.state).toBe('connected');
  });

  test('that fails leaves the old path in place', async () => {
    const sfu = await sfuOf();
    const [client, server] = await pair(sfu, { connectTimeoutMs: 1000 });
    await accept(server, client.local);
    const srtp = new Srtp((await client.connect(remoteOf(server))).keys);
    const received = Promise.withResolvers<string>();
    await receiveFrom(sfu, server, (payload) => received.resolve(payload));
    await client.restartIce();
    const newer = client.restartIce();
    const replaced = client.connectRestarted(remoteOf(server));
    await newer;
    await expect(replaced).rejects.toMatchObject({ code: 'connection-failed' });
    await expect(client.connectRestarted({ ...remoteOf(server), candidates: [] })).rejects.toMatchObject({
      code: 'connection-failed',
    });
    client.send(srtp.protect('still here'));
    expect(await received.promise).toBe('still here');
  });
});

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

test('closing tells the server', async () => {
  const sfu = await sfuOf();
  const { client, server } = await connected(sfu);
  const closed = Promise.withResolvers<void>();
  server.on('dtlsstatechange', (state) => state === 'closed' && closed.resolve());
  client.close();
  await closed.promise;
});

test('a peer with full ICE, of another implementation, is reached', async () => {
  const gatherer = new RTCIceGatherer({ useIpv6: false });
  gatherer.connection.stunServer = undefined;
  const ice = new RTCIceTransport(gatherer);
  const dtls = new RTCDtlsTransport({}, ice, await RTCDtlsTransport.SetupCertificate(), [7]);
  open.push({ close: () => void dtls.stop() });
  await ice.gather();
  const client = opened(await MediaTransport.create({}));
  gatherer.connection.iceControlling = false;
  ice.setRemoteParams({ ...client.local, iceLite: false });
  for (const candidate of client.local.candidates)
    await ice.addRemoteCandidate(IceCandidate.fromJSON({ candidate, sdpMid: '0' }));
  dtls.setRemoteParams({
    role: 'client',
    fingerprints: [{ algorithm: 'sha-256', value: client.local.fingerprint }],
  });
  dtls.role = 'server';
  const accepted = ice.start().then(() => dtls.start());
  await client.connect({
    ...ice.localParameters,
    iceLite: false,
    // It has to be found by its checks alone.
    candidates: [],
    fingerprints: dtls.localParameters.fingerprints,
    dtlsRole: 'client',
  });
  await accepted;
  expect(client.state).toBe('connected');
});

import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { IceCandidate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport } from 'werift';
import { MediaTransport } from '../../../src/client/transport/media-transport.ts';
import { connected, hasIpv6, opened, pair, passes, sfuOf } from './fixture.ts';
import { accept, receiveFrom, remoteOf, Srtp, sendTo } from './sfu.ts';

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
    // The server tells of the handshake later than the client ends it.
    while (server.dtlsState !== 'connected') await once(server, 'dtlsstatechange');
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
  opened({ close: () => void dtls.stop() });
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

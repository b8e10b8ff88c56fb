/** A DTLS handshake with the SFU in which one packet is lost, whichever it is. */
import { expect, test } from 'vitest';
import { MediaTransport } from '../../../src/client/transport/media-transport.ts';
import { opened, overProxy, sfuOf, udpPort } from './fixture.ts';
import { accept, remoteOf } from './sfu.ts';
import { UdpProxy } from './udp-proxy.ts';

/** Both sides repeat their flights after half a second or a second. */
const LIMIT_MS = 4_000;
/** A handshake takes two or three packets a side. */
const LOST = [true, false].flatMap((toServer) => [0, 1, 2, 3, 4].map((nth) => ({ toServer, nth })));
const isDtls = (packet: Buffer) => packet[0]! >= 20 && packet[0]! <= 63;

test.each(['client', 'server'] as const)(
  'is done within seconds as the DTLS %s',
  async (role) => {
    const sfu = await sfuOf();
    const handshake = async ({ toServer, nth }: { toServer: boolean; nth: number }) => {
      const server = opened(await sfu.transport());
      const client = opened(await MediaTransport.create({}));
      const proxy = opened(await UdpProxy.to(udpPort(server)));
      let count = 0;
      proxy.loses = (packet, direction) => direction === toServer && isDtls(packet) && count++ === nth;
      await accept(server, client.local, role);
      const began = performance.now();
      await client.connect(overProxy(proxy)(remoteOf(server, role)));
      // The other side has got as far, or gets there by a repetition of ours.
      await expect.poll(() => server.dtlsState, { timeout: LIMIT_MS }).toBe('connected');
      return { toServer, nth, ms: performance.now() - began };
    };
    const slow = (await Promise.all(LOST.map(handshake))).filter(({ ms }) => ms > LIMIT_MS);
    expect(slow).toEqual([]);
  },
  20_000,
);

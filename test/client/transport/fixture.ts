/** Connected transports for a test file; what it opens is closed after each test, the workers at the end. */
import { networkInterfaces } from 'node:os';
import type { types } from 'mediasoup';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { MediaTransport } from '../../../src/client/transport/media-transport.ts';
import type { RemoteTransportParameters, TransportOptions } from '../../../src/client/transport/types.ts';
import { accept, remoteOf, Sfu, type SfuOptions, Srtp } from './sfu.ts';
import type { UdpProxy } from './udp-proxy.ts';

const sfus = new Map<string, Sfu>();
const open: { close(): void }[] = [];
export const opened = <T extends { close(): void }>(resource: T): T => {
  open.push(resource);
  return resource;
};

export const hasIpv6 = Object.values(networkInterfaces()).some((each) =>
  each?.some(({ address }) => address === '::1'),
);

export async function sfuOf(options: SfuOptions = {}): Promise<Sfu> {
  const key = JSON.stringify(options);
  const known = sfus.get(key);
  if (known !== undefined) return known;
  const sfu = await Sfu.start(options);
  sfus.set(key, sfu);
  return sfu;
}

export async function pair(
  sfu: Sfu,
  options: TransportOptions = {},
): Promise<[MediaTransport, types.WebRtcTransport]> {
  const server = opened(await sfu.transport());
  return [opened(await MediaTransport.create(options)), server];
}

export async function connected(
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
export async function passes(
  send: (text: string) => void,
  received: (listener: (text: string) => void) => void,
  text: string,
) {
  const arrived = Promise.withResolvers<void>();
  received((each) => each === text && arrived.resolve());
  const timer = setInterval(() => send(text), 20);
  await arrived.promise.finally(() => clearInterval(timer));
}

export const overProxy =
  (proxy: UdpProxy) =>
  (remote: RemoteTransportParameters): RemoteTransportParameters => ({
    ...remote,
    candidates: [`proxy 1 udp 1 127.0.0.1 ${proxy.port} typ host`],
  });

export const udpPort = (transport: types.WebRtcTransport): number =>
  transport.iceCandidates.find(({ protocol }) => protocol === 'udp')!.port;

beforeAll(() => sfuOf());
afterEach(() => {
  for (const each of open.splice(0)) each.close();
});
afterAll(() => {
  for (const sfu of sfus.values()) sfu.close();
});

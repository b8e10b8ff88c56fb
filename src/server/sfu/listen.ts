/** Where workers take media: addresses, ports, and how a port that is taken shows itself. */
import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TransportListenInfo } from 'mediasoup/types';
import { MeetError } from '../../protocol/errors.ts';
import type { ListenAddress } from './types.ts';

/**
 * Socket buffer of a UDP port in bytes. All participants of a worker share it, and a keyframe for hundreds of
 * receivers is sent in one burst. The kernel caps it at
 * `net.core.rmem_max` and `wmem_max`.
 */
const UDP_BUFFER_BYTES = 4 * 1024 * 1024;

export interface Ports {
  readonly udp: number;
  readonly tcp: number;
}

/**
 * A wildcard address without an announced one becomes the addresses of the machine's interfaces, as no client can
 * send to `0.0.0.0`; loopback only where there is nothing else.
 */
export function expandListen(listen: readonly ListenAddress[]): ListenAddress[] {
  const expanded = listen.flatMap((entry) => {
    if (entry.announcedAddress !== undefined) return [entry];
    if (entry.ip !== '0.0.0.0' && entry.ip !== '::') return [entry];
    const family = entry.ip === '::' ? 'IPv6' : 'IPv4';
    const addresses = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      // A link-local IPv6 address needs a zone that a candidate cannot carry.
      .filter((address) => address.family === family && !address.address.startsWith('fe80:'));
    const outside = addresses.filter(({ internal }) => !internal);
    return (outside.length > 0 ? outside : addresses).map(({ address }) => ({ ip: address }));
  });
  if (expanded.length === 0) {
    throw new MeetError('bad-config', 'There is no address to take media on.', {
      hint: 'Name at least one IPv4 or IPv6 address to listen on.',
    });
  }
  return expanded;
}

/** UDP first, in the order given: that is the order of the ICE candidates' priorities. */
export function listenInfos(listen: readonly ListenAddress[], { udp, tcp }: Ports): TransportListenInfo[] {
  const address = ({ ip, announcedAddress }: ListenAddress) => ({
    ip,
    ...(announcedAddress === undefined ? {} : { announcedAddress }),
    // Lets `0.0.0.0` and `::` have the same port.
    ...(isIPv6(ip) ? { flags: { ipv6Only: true } } : {}),
  });
  return [
    ...listen.map((entry) => ({
      ...address(entry),
      protocol: 'udp' as const,
      port: udp,
      sendBufferSize: UDP_BUFFER_BYTES,
      recvBufferSize: UDP_BUFFER_BYTES,
    })),
    ...listen.map((entry) => ({ ...address(entry), protocol: 'tcp' as const, port: tcp })),
  ];
}

/** A UDP port that nobody has on `ip` at this moment. */
export async function freeUdpPort(ip: string): Promise<number> {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  socket.once('error', reject);
  socket.bind({ port: 0, address: ip, exclusive: true }, () => resolve(socket.address().port));
  return promise.finally(() => socket.close());
}

/** A TCP port that nobody has on `ip` at this moment. */
export async function freeTcpPort(ip: string): Promise<number> {
  const server = createServer();
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.once('error', reject);
  server.listen({ port: 0, host: ip, exclusive: true }, () => {
    const address = server.address();
    resolve(typeof address === 'object' && address !== null ? address.port : 0);
  });
  return promise.finally(() => server.close());
}

/** What a failed `createWebRtcServer()` means; the worker says it in libuv's words. */
export function listenError(error: unknown, listen: readonly ListenAddress[], ports: Ports): MeetError {
  const text = error instanceof Error ? error.message : String(error);
  const where = `${listen.map(({ ip }) => ip).join(', ')} (UDP ${ports.udp}, TCP ${ports.tcp})`;
  if (/address already in use|EADDRINUSE/i.test(text)) {
    return new MeetError('port-in-use', `A media port is taken by another process: ${where}.`, {
      cause: error,
      hint: 'Choose other media ports, or stop the process that has them.',
    });
  }
  if (/permission denied|EACCES/i.test(text)) {
    return new MeetError('no-permission', `This user may not listen on the media ports: ${where}.`, {
      cause: error,
      hint: 'Choose ports above 1023.',
    });
  }
  return new MeetError('bad-config', `Media cannot be taken on ${where}: ${text}`, {
    cause: error,
    hint: 'Listen on addresses that this machine has.',
  });
}

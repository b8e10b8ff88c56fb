/** Local sockets, addresses and credentials of an ICE agent. */
import { randomBytes } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import { MeetError } from '../../protocol/errors.ts';
import { type Candidate, candidatePriority } from './candidate.ts';
import type { IceCredentials } from './stun.ts';
import { UdpSocket } from './udp-socket.ts';

/** 48 and 144 random bits; RFC 8445 section 5.3 asks for at least 24 and 128. */
export function createCredentials(): IceCredentials {
  return {
    usernameFragment: randomBytes(6).toString('base64').replaceAll('=', ''),
    password: randomBytes(18).toString('base64'),
  };
}

export interface UdpHandlers {
  readonly onPacket: (socket: UdpSocket, packet: Buffer, address: string, port: number) => void;
  readonly onRefused: () => void;
}

/**
 * One socket for IPv4 and one for IPv6, as far as the machine has them. They are bound to every address, so
 * loopback servers and those of any interface can be reached alike.
 *
 * @throws MeetError `connection-failed` when there is neither.
 */
export async function bindUdp({ onPacket, onRefused }: UdpHandlers): Promise<readonly UdpSocket[]> {
  const bind = async (family: 4 | 6): Promise<UdpSocket> => {
    const socket: UdpSocket = await UdpSocket.bind(family, {
      onPacket: (packet, address, port) => onPacket(socket, packet, address, port),
      onRefused,
    });
    return socket;
  };
  const results = await Promise.allSettled([bind(4), bind(6)]);
  const sockets = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (sockets.length > 0) return sockets;
  const cause = results.find((result) => result.status === 'rejected')?.reason as NodeJS.ErrnoException;
  throw new MeetError('connection-failed', `No UDP socket can be opened (${cause.code ?? cause.message}).`, {
    cause,
    hint: 'The limit of open files may be reached: see `ulimit -n`.',
  });
}

/** A candidate for each address of the machine; loopback only where there is nothing else. */
export function hostCandidates(sockets: readonly UdpSocket[]): Candidate[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const usable = all.filter(({ address }) => !/^(?:fe80:|169\.254\.)/i.test(address));
  const outside = usable.filter(({ internal }) => !internal);
  const addresses = outside.length > 0 ? outside : usable;
  return sockets.flatMap((socket) =>
    addresses
      .filter(({ address }) => socket.reaches(address))
      .map(({ address }, index) => ({
        foundation: `h${socket.family}${index}`,
        protocol: 'udp' as const,
        priority: candidatePriority('host', 'udp', index),
        address,
        port: socket.port,
        type: 'host' as const,
      })),
  );
}

/** What ICE sends and receives packets through, whatever is below: UDP, TCP with framing, or a TURN relay. */

/** Gets every packet of a socket with where it came from. */
export type PacketHandler = (packet: Buffer, address: string, port: number) => void;

export interface PacketSocket {
  /** As the remote side sees it; a relay is `udp`. */
  readonly protocol: 'udp' | 'tcp';
  readonly localType: 'host' | 'relay';
  /** Whether a remote address can be reached through it at all. */
  reaches(address: string): boolean;
  /** Sends if it can and never throws; like any packet it may be lost. */
  send(packet: Buffer, address: string, port: number): void;
  /** The remote side of the selected pair: from now on the socket may serve this one alone. */
  settle?(address: string, port: number): void;
  close(): void;
}

import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIP } from 'node:net';
import type { PacketHandler, PacketSocket } from './packet-socket.ts';

/**
 * Socket buffers. The kernel's default holds some 256 packets, which a keyframe burst overruns while the
 * event loop is busy. Linux caps both at net.core.rmem_max and wmem_max.
 */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;
const SEND_BUFFER_BYTES = 1024 * 1024;

export interface UdpSocketHandlers {
  readonly onPacket: PacketHandler;
  /** A peer that no longer listens answers with ICMP; seen only once the socket is settled. */
  readonly onRefused: () => void;
}

/** One UDP socket bound to every address of a family, so that the kernel chooses the route. */
export class UdpSocket implements PacketSocket {
  readonly protocol = 'udp';
  readonly localType = 'host';
  readonly family: 4 | 6;
  readonly #socket: Socket;
  #settled = false;
  /** Packets that came while the socket was being connected: sending either way fails then. */
  #unsent: Buffer[] | undefined;
  #closed = false;

  private constructor(family: 4 | 6, socket: Socket, { onPacket, onRefused }: UdpSocketHandlers) {
    this.family = family;
    this.#socket = socket;
    socket.on('message', (packet, { address, port }) => {
      if (!this.#closed) onPacket(packet, address, port);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (!this.#closed && error.code === 'ECONNREFUSED') onRefused();
    });
  }

  /**
   * Binds a socket to a free port.
   *
   * @throws the system's error where the family is not supported or no socket can be had.
   */
  static async bind(family: 4 | 6, handlers: UdpSocketHandlers): Promise<UdpSocket> {
    const socket = createSocket({ type: family === 4 ? 'udp4' : 'udp6', ipv6Only: family === 6 });
    try {
      socket.bind(0);
      await once(socket, 'listening');
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
      socket.setSendBufferSize(SEND_BUFFER_BYTES);
    } catch (error) {
      socket.on('error', () => undefined);
      socket.close();
      throw error;
    }
    return new UdpSocket(family, socket, handlers);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  reaches(address: string): boolean {
    return isIP(address) === this.family;
  }

  send(packet: Buffer, address: string, port: number): void {
    if (this.#closed) return;
    if (this.#unsent !== undefined) {
      this.#unsent.push(packet);
      return;
    }
    try {
      if (this.#settled) this.#socket.send(packet);
      else this.#socket.send(packet, port, address);
    } catch {
      // Too large, or the socket is going away: lost like any other packet.
    }
  }

  /** Connects the socket: sending gets about a fifth cheaper and strangers are no longer heard. */
  settle(address: string, port: number): void {
    if (this.#closed || this.#settled || this.#unsent !== undefined) return;
    this.#unsent = [];
    this.#socket.connect(port, address, (error?: Error) => {
      // Where it fails the socket goes on unconnected.
      this.#settled = error === undefined || error === null;
      const unsent = this.#unsent ?? [];
      this.#unsent = undefined;
      for (const packet of unsent) this.send(packet, address, port);
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}

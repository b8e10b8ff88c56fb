import { connect, isIP, type Socket } from 'node:net';
import type { PacketHandler, PacketSocket } from './packet-socket.ts';

/** Media that waits longer than this is worthless; above it packets are dropped as a full router would. */
const MAX_QUEUED_BYTES = 1024 * 1024;
const FRAME_HEADER_BYTES = 2;

export interface TcpSocketHandlers {
  readonly onPacket: PacketHandler;
  /** It could not be connected, or the connection ended. Not called after `close()`. */
  readonly onLost: (reason: string) => void;
}

/** One TCP connection to a passive ICE-TCP candidate (RFC 6544), each packet framed by RFC 4571. */
export class TcpSocket implements PacketSocket {
  readonly protocol = 'tcp';
  readonly localType = 'host';
  readonly #address: string;
  readonly #port: number;
  readonly #socket: Socket;
  readonly #onPacket: PacketHandler;
  #pending: Buffer | undefined;
  #closed = false;

  constructor(address: string, port: number, { onPacket, onLost }: TcpSocketHandlers) {
    this.#address = address;
    this.#port = port;
    this.#onPacket = onPacket;
    this.#socket = connect({ host: address, port, noDelay: true });
    this.#socket.on('data', (data) => this.#read(data));
    let reason = 'the connection was closed';
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      reason = error.code === 'ECONNREFUSED' ? 'the connection was refused' : (error.code ?? error.message);
    });
    this.#socket.on('close', () => {
      if (this.#closed) return;
      this.#closed = true;
      onLost(reason);
    });
  }

  reaches(address: string): boolean {
    return address === this.#address && isIP(address) !== 0;
  }

  #read(data: Buffer): void {
    let buffer = this.#pending === undefined ? data : Buffer.concat([this.#pending, data]);
    while (buffer.length >= FRAME_HEADER_BYTES) {
      const end = FRAME_HEADER_BYTES + buffer.readUInt16BE(0);
      if (buffer.length < end) break;
      // The handler may close the connection.
      if (this.#closed) return;
      if (end > FRAME_HEADER_BYTES)
        this.#onPacket(buffer.subarray(FRAME_HEADER_BYTES, end), this.#address, this.#port);
      buffer = buffer.subarray(end);
    }
    this.#pending = buffer.length === 0 ? undefined : buffer;
  }

  send(packet: Buffer): void {
    if (this.#closed || packet.length > 0xffff || this.#socket.writableLength > MAX_QUEUED_BYTES) return;
    const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + packet.length);
    frame.writeUInt16BE(packet.length, 0);
    packet.copy(frame, FRAME_HEADER_BYTES);
    this.#socket.write(frame);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    // What is queued (a close_notify) still goes out; a peer that does not read gets a second.
    this.#socket.end();
    this.#socket.setTimeout(1000, () => this.#socket.destroy());
  }
}

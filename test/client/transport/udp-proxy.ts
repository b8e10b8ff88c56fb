import { createSocket, type Socket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';

/** A UDP path between clients and one server that can be cut and made slow. */
export class UdpProxy extends EventEmitter<{ forwarded: [] }> {
  /** Nothing passes in either direction. */
  blocked = false;
  /** One-way delay, milliseconds. */
  delayMs = 0;
  /** Whose packets pass, by source port. */
  accepts: (clientPort: number) => boolean = () => true;
  /** Which packets are lost. */
  loses: (packet: Buffer, toServer: boolean) => boolean = () => false;
  readonly #front: Socket;
  readonly #back = new Map<number, Socket>();
  readonly #serverPort: number;
  #open = true;

  private constructor(front: Socket, serverPort: number) {
    super();
    this.#front = front;
    this.#serverPort = serverPort;
    front.on('message', (packet, { port }) => {
      if (this.accepts(port) && !this.loses(packet, true))
        this.#pass(() => this.#backOf(port).send(packet, this.#serverPort, '127.0.0.1'));
    });
  }

  static async to(serverPort: number): Promise<UdpProxy> {
    const front = createSocket('udp4');
    front.bind(0, '127.0.0.1');
    await once(front, 'listening');
    return new UdpProxy(front, serverPort);
  }

  get port(): number {
    return this.#front.address().port;
  }

  #backOf(clientPort: number): Socket {
    const known = this.#back.get(clientPort);
    if (known !== undefined) return known;
    const socket = createSocket('udp4');
    socket.on('message', (packet) => {
      if (!this.loses(packet, false)) this.#pass(() => this.#front.send(packet, clientPort, '127.0.0.1'));
    });
    this.#back.set(clientPort, socket);
    return socket;
  }

  #pass(send: () => void): void {
    if (this.blocked) return;
    const forward = (): void => {
      if (!this.#open) return;
      send();
      this.emit('forwarded');
    };
    if (this.delayMs === 0) forward();
    else setTimeout(forward, this.delayMs);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#front.close();
    for (const socket of this.#back.values()) socket.close();
  }
}

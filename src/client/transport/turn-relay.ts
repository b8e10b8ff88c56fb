import { lookup } from 'node:dns/promises';
import { isIP, type Socket, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import type { PacketHandler, PacketSocket } from './packet-socket.ts';
import type { TurnServer } from './turn-servers.ts';
import { UdpSocket } from './udp-socket.ts';
import { type TurnProtocol, weriftInternals } from './werift-internals.ts';

/** Seconds that an allocation lives without a refresh, RFC 8656 section 3.2. */
const LIFETIME_S = 600;
/** An allocation takes four round trips and a TLS handshake two or three more. */
const ALLOCATE_TIMEOUT_MS = 5000;
/** Media that waits longer than this is worthless; above it packets are dropped as a full router would. */
const MAX_QUEUED_BYTES = 1024 * 1024;
/** STUN message type of an error answer to Allocate, RFC 8489 section 5. */
const ALLOCATE_ERROR = 0x0113;
const UNAUTHORIZED = 401;
const STALE_NONCE = 438;
const REFRESH_METHOD = 4;
const REQUEST_CLASS = 0;

export interface TurnRelayHandlers {
  readonly onPacket: PacketHandler;
  /** The connection to the TURN server ended, or the server refuses to relay to the peer. */
  readonly onLost: (reason: string) => void;
}

type ServerAddress = readonly [address: string, port: number];

/** The transport that werift's TURN client wants below it. */
interface ServerTransport {
  readonly type: 'udp' | 'tcp' | 'tls';
  readonly address: object;
  readonly addressFamily: 4 | 6;
  readonly remoteAddress: ServerAddress;
  closed: boolean;
  onData: (data: Buffer, address: ServerAddress) => void;
  send(data: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** An allocation on a TURN server (RFC 8656), over UDP, TCP or TLS. It relays UDP over IPv4. */
export class TurnRelay implements PacketSocket {
  readonly protocol = 'udp';
  readonly localType = 'relay';
  readonly relayedAddress: string;
  readonly relayedPort: number;
  readonly #turn: TurnProtocol;
  readonly #server: ServerAddress;
  readonly #onLost: (reason: string) => void;
  #closed = false;

  private constructor(turn: TurnProtocol, server: ServerAddress, handlers: TurnRelayHandlers) {
    this.#turn = turn;
    this.#server = server;
    this.#onLost = handlers.onLost;
    [this.relayedAddress, this.relayedPort] = turn.relayedAddress;
    turn.onData.subscribe((packet, [address, port]) => {
      if (!this.#closed) handlers.onPacket(packet, address, port);
    });
  }

  /**
   * Allocates a relayed address.
   *
   * @throws Error with the reason (unknown host, refused, no answer in 5 s, wrong credentials).
   */
  static async allocate(
    { host, port, transport, username, credential }: TurnServer,
    handlers: TurnRelayHandlers,
    options: { readonly tlsCa?: string; readonly signal: AbortSignal },
  ): Promise<TurnRelay> {
    const signal = AbortSignal.any([options.signal, AbortSignal.timeout(ALLOCATE_TIMEOUT_MS)]);
    const { address } = isIP(host) === 0 ? await abortable(lookup(host), signal) : { address: host };
    let relay: TurnRelay | undefined;
    const onLost = (reason: string): void => relay?.lost(reason);
    const server: ServerAddress = [address, port];
    const below =
      transport === 'udp'
        ? await udpTransport(server, onLost)
        : await streamTransport(transport, server, onLost, signal, {
            servername: isIP(host) === 0 ? host : '',
            ...(options.tlsCa === undefined ? {} : { ca: options.tlsCa }),
          });
    const { TurnProtocol } = weriftInternals();
    const turn = new TurnProtocol([address, port], username, credential, LIFETIME_S, below as never);
    try {
      const allocating = turn.connectionMade();
      await Promise.race([abortable(allocating, signal), refusedAllocation(below)]);
    } catch (error) {
      await below.close();
      throw new Error(allocationFailure(error), { cause: error });
    }
    relay = new TurnRelay(turn, server, handlers);
    return relay;
  }

  reaches(address: string): boolean {
    return isIP(address) === 4;
  }

  send(packet: Buffer, address: string, port: number): void {
    if (this.#closed) return;
    this.#turn.sendData(packet, [address, port]).catch((error: unknown) => {
      // No permission and no channel: the server does not want to relay there.
      if (refusal(error) !== undefined) this.lost(`it refused to relay to the server (${refusal(error)})`);
    });
  }

  private lost(reason: string): void {
    if (this.#closed) return;
    this.close();
    this.#onLost(reason);
  }

  /** Gives the allocation back (a refresh with lifetime zero) and closes the connection. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const { Message } = weriftInternals();
    const release = new Message(REFRESH_METHOD, REQUEST_CLASS).setAttribute('LIFETIME', 0);
    this.#turn
      .request(release as never, [...this.#server], undefined, { retransmissions: 0, responseTimeout: 250 })
      .catch(() => undefined)
      .then(() => this.#turn.close())
      .catch(() => undefined);
  }
}

/**
 * Rejects when the server refuses the allocation. Error answers to signed requests are often not signed
 * themselves (wrong credentials: there is no common key), and werift waits for signed ones until it gives up.
 */
function refusedAllocation(below: ServerTransport): Promise<never> {
  const { parseMessage } = weriftInternals();
  const refused = Promise.withResolvers<never>();
  refused.promise.catch(() => undefined);
  const { onData } = below;
  let challenge: string | undefined;
  below.onData = (data, address) => {
    onData(data, address);
    if (data.length < 2 || data.readUInt16BE(0) !== ALLOCATE_ERROR) return;
    const message = parseMessage(data);
    const code: unknown = message?.getAttributeValue('ERROR-CODE');
    if (message === undefined || !Array.isArray(code) || code[0] === STALE_NONCE) return;
    challenge ??= message.transactionIdHex;
    // The first request is not signed, and its refusal only tells the realm and the nonce.
    if (code[0] === UNAUTHORIZED && challenge === message.transactionIdHex) return;
    refused.reject({ response: message });
  };
  return refused.promise;
}

function refusal(error: unknown): string | undefined {
  const response = (error as { response?: { getAttributeValue(name: string): unknown } } | undefined)
    ?.response;
  const code = response?.getAttributeValue('ERROR-CODE');
  return Array.isArray(code) ? `${code[0]} ${code[1]}`.trim() : undefined;
}

function allocationFailure(error: unknown): string {
  const code = refusal(error);
  if (code !== undefined) return `it refused the allocation (${code})`;
  const name = (error as Error | undefined)?.name;
  if (name === 'TimeoutError' || name === 'AbortError') return 'it did not answer';
  return (error as Error | undefined)?.message || 'it did not answer';
}

async function udpTransport(
  server: ServerAddress,
  onLost: (reason: string) => void,
): Promise<ServerTransport> {
  const [address, port] = server;
  const family = isIP(address) === 6 ? 6 : 4;
  const socket = await UdpSocket.bind(family, {
    onPacket: (packet, from, fromPort) => {
      if (from === address && fromPort === port) transport.onData(packet, server);
    },
    onRefused: () => onLost('it no longer answers'),
  });
  socket.settle(address, port);
  const transport: ServerTransport = {
    type: 'udp',
    address: {},
    addressFamily: family,
    remoteAddress: server,
    closed: false,
    onData: () => undefined,
    send: async (data) => socket.send(data, address, port),
    close: async () => {
      transport.closed = true;
      socket.close();
    },
  };
  return transport;
}

async function streamTransport(
  type: 'tcp' | 'tls',
  server: ServerAddress,
  onLost: (reason: string) => void,
  signal: AbortSignal,
  tls: { servername: string; ca?: string },
): Promise<ServerTransport> {
  const [host, port] = server;
  const socket: Socket =
    type === 'tls' ? tlsConnect({ host, port, ...tls }) : tcpConnect({ host, port, noDelay: true });
  const connected = Promise.withResolvers<void>();
  socket.once(type === 'tls' ? 'secureConnect' : 'connect', () => connected.resolve());
  socket.on('error', (error: NodeJS.ErrnoException) =>
    connected.reject(new Error(error.code ?? error.message)),
  );
  socket.on('close', () => {
    connected.reject(new Error('the connection was closed'));
    if (!transport.closed) onLost('the connection was closed');
  });
  const transport: ServerTransport = {
    type,
    address: {},
    addressFamily: isIP(host) === 6 ? 6 : 4,
    remoteAddress: server,
    closed: false,
    onData: () => undefined,
    send: async (data) => {
      if (!transport.closed && socket.writableLength <= MAX_QUEUED_BYTES) socket.write(data);
    },
    close: async () => {
      transport.closed = true;
      socket.destroy();
    },
  };
  socket.on('data', (data) => transport.onData(data, server));
  try {
    await abortable(connected.promise, signal);
  } catch (error) {
    await transport.close();
    throw new Error(allocationFailure(error), { cause: error });
  }
  return transport;
}

async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    promise.catch(() => undefined);
  }
}

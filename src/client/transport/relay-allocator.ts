import { MeetError } from '../../protocol/errors.ts';
import { type Candidate, candidatePriority } from './candidate.ts';
import type { PacketSocket } from './packet-socket.ts';
import { TurnRelay } from './turn-relay.ts';
import type { TurnServer } from './turn-servers.ts';

/** A TURN server that has not answered by then gets company by the next one. */
const STAGGER_MS = 1500;

export interface RelayHandlers {
  readonly onPacket: (relay: TurnRelay, packet: Buffer, address: string, port: number) => void;
  readonly onRelay: (relay: TurnRelay) => void;
  readonly onLost: (relay: TurnRelay, reason: string) => void;
}

/** Gets a relayed address from the first of several TURN servers that gives one. */
export class RelayAllocator {
  readonly allocated: TurnRelay[] = [];
  readonly attempts: string[] = [];
  readonly #waiting: TurnServer[];
  readonly #tlsCa: string | undefined;
  readonly #handlers: RelayHandlers;
  readonly #abort = new AbortController();
  readonly #first = Promise.withResolvers<void>();
  #started = false;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(servers: readonly TurnServer[], tlsCa: string | undefined, handlers: RelayHandlers) {
    this.#waiting = [...servers];
    this.#tlsCa = tlsCa;
    this.#handlers = handlers;
    this.#first.promise.catch(() => undefined);
  }

  get candidates(): Candidate[] {
    return this.allocated.map(({ relayedAddress, relayedPort }, index) => ({
      foundation: `r${index}`,
      protocol: 'udp',
      priority: candidatePriority('relay', 'udp', index),
      address: relayedAddress,
      port: relayedPort,
      type: 'relay',
    }));
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#next();
  }

  /**
   * Resolves with the first allocation.
   *
   * @throws MeetError `connection-failed` when no server gives one.
   */
  first(): Promise<void> {
    this.start();
    return this.#first.promise;
  }

  #next(): void {
    clearTimeout(this.#timer);
    if (this.#abort.signal.aborted || this.allocated.length > 0) return;
    const server = this.#waiting.shift();
    if (server === undefined) {
      if (this.#running === 0) this.#first.reject(this.#exhausted());
      return;
    }
    this.#running++;
    this.#timer = setTimeout(() => this.#next(), STAGGER_MS);
    void this.#allocate(server).then(() => {
      this.#running--;
      this.#next();
    });
  }

  async #allocate(server: TurnServer): Promise<void> {
    try {
      const relay: TurnRelay = await TurnRelay.allocate(
        server,
        {
          onPacket: (packet, address, port) => this.#handlers.onPacket(relay, packet, address, port),
          onLost: (reason) => this.#lost(relay, server, reason),
        },
        { signal: this.#abort.signal, ...(this.#tlsCa === undefined ? {} : { tlsCa: this.#tlsCa }) },
      );
      if (this.#abort.signal.aborted || this.allocated.length > 0) {
        relay.close();
        return;
      }
      this.allocated.push(relay);
      this.#first.resolve();
      this.#handlers.onRelay(relay);
    } catch (error) {
      this.attempts.push(`${server.url} (${(error as Error).message})`);
    }
  }

  #lost(relay: TurnRelay, server: TurnServer, reason: string): void {
    this.attempts.push(`${server.url} (${reason})`);
    const index = this.allocated.indexOf(relay);
    if (index >= 0) this.allocated.splice(index, 1);
    this.#handlers.onLost(relay, reason);
    this.#next();
  }

  #exhausted(): MeetError {
    const tried = this.attempts.length === 0 ? 'the server named none' : this.attempts.join('; ');
    return new MeetError('connection-failed', `No TURN server gave a relay: ${tried}.`, {
      hint: 'Check the TURN server and its credentials, or join without the relay policy.',
    });
  }

  /** A pair is selected: nothing more is allocated, and other relays than its own are given back. */
  keep(socket: PacketSocket): void {
    this.#stop();
    for (const relay of this.allocated) if (relay !== socket) relay.close();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#abort.abort();
  }

  close(): void {
    this.#stop();
    for (const relay of this.allocated) relay.close();
    this.#first.reject(new MeetError('connection-failed', 'The media connection was closed.'));
  }
}

import { lookup } from 'node:dns/promises';
import { isIP, SocketAddress } from 'node:net';
import { MeetError } from '../../protocol/errors.ts';
import { type Candidate, candidatePriority, parseCandidate } from './candidate.ts';
import { CheckList, type Pair } from './check-list.ts';
import { bindUdp, createCredentials, hostCandidates } from './gathering.ts';
import { type Liveness, LivenessMonitor } from './liveness.ts';
import type { PacketSocket } from './packet-socket.ts';
import { RelayAllocator } from './relay-allocator.ts';
import { bindingRequest, type IceCredentials, readStun } from './stun.ts';
import { TcpSocket } from './tcp-socket.ts';
import type { TurnServer } from './turn-servers.ts';
import type { SelectedPath } from './types.ts';
import type { UdpSocket } from './udp-socket.ts';

export interface IceAgentOptions {
  readonly turnServers: readonly TurnServer[];
  readonly relayOnly: boolean;
  /** PEM of an authority to trust for `turns:` servers, besides the usual ones. */
  readonly tlsCa?: string;
  /** Everything that is not STUN. */
  readonly onPacket: (packet: Buffer) => void;
  readonly onLiveness: (state: Liveness) => void;
}

export interface RemoteIceParameters extends IceCredentials {
  readonly iceLite: boolean;
  readonly candidates: readonly string[];
}

/** Direct paths get this head start over a TURN allocation, which costs the server a port. */
const RELAY_DELAY_MS = 250;
/** This many ICMP refusals without a packet in between mean that nobody listens any more. */
const MAX_REFUSALS = 3;

/**
 * One generation of ICE (RFC 8445): a full agent in the controlling role with its sockets and credentials.
 * An ICE restart is a second agent beside the first. Works with lite peers, whose address is all it needs to
 * know, and with full ones.
 */
export class IceAgent {
  readonly credentials: IceCredentials = createCredentials();
  /** `performance.now()` of the last packet of any kind; 0 before the first. */
  lastReceivedAt = 0;
  readonly #options: IceAgentOptions;
  #udp: readonly UdpSocket[] = [];
  #hostCandidates: readonly Candidate[] = [];
  readonly #tcp: TcpSocket[] = [];
  readonly #relays: RelayAllocator;
  readonly #remoteCandidates: Candidate[] = [];
  readonly #problems: string[] = [];
  readonly #selected = Promise.withResolvers<SelectedPath>();
  #remote: (IceCredentials & { readonly iceLite: boolean }) | undefined;
  #checks: CheckList | undefined;
  #pair: Pair | undefined;
  #liveness: LivenessMonitor | undefined;
  #consentChecks = new Set<string>();
  #refusals = 0;
  #relayTimer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(options: IceAgentOptions) {
    this.#options = options;
    this.#relays = new RelayAllocator(options.turnServers, options.tlsCa, {
      onPacket: (relay, packet, address, port) => this.#receive(relay, packet, address, port),
      onRelay: (relay) => this.#pairAll(relay),
      onLost: (relay, reason) => this.#socketLost(relay, reason),
    });
  }

  /**
   * Binds the sockets. With `relayOnly` it waits for a TURN allocation.
   *
   * @throws MeetError `connection-failed` when there is no socket or no relay to be had.
   */
  static async gather(options: IceAgentOptions): Promise<IceAgent> {
    const agent = new IceAgent(options);
    try {
      if (options.relayOnly) await agent.#relays.first();
      else await agent.#bind();
    } catch (error) {
      agent.close();
      throw error;
    }
    return agent;
  }

  async #bind(): Promise<void> {
    this.#udp = await bindUdp({
      onPacket: (socket, packet, address, port) => this.#receive(socket, packet, address, port),
      onRefused: () => this.#refused(),
    });
    this.#hostCandidates = hostCandidates(this.#udp);
  }

  get candidates(): readonly Candidate[] {
    return [...this.#hostCandidates, ...this.#relays.candidates];
  }

  get path(): SelectedPath | undefined {
    return this.#pair === undefined ? undefined : pathOf(this.#pair);
  }

  /** Whether the selected pair works. */
  get liveness(): Liveness {
    return this.#liveness?.state ?? 'disconnected';
  }

  /** Checks the remote candidates until one pair works; rejects only when the agent is closed. */
  connect({ candidates, ...remote }: RemoteIceParameters): Promise<SelectedPath> {
    this.#remote = remote;
    this.#checks = new CheckList(remote.iceLite, {
      send: (pair, nominate) => this.#sendCheck(pair, nominate),
      onSelected: (pair) => this.#select(pair),
    });
    for (const candidate of candidates) this.addRemoteCandidate(candidate);
    for (const relay of this.#relays.allocated) this.#pairAll(relay);
    if (!this.#options.relayOnly) this.#relayTimer = setTimeout(() => this.#relays.start(), RELAY_DELAY_MS);
    return this.#selected.promise;
  }

  /** Adds an `a=candidate:` value; what cannot be used is ignored. */
  addRemoteCandidate(text: string): void {
    const candidate = parseCandidate(text);
    if (candidate === undefined || this.#closed) return;
    const family = isIP(candidate.address);
    if (family !== 0) {
      // The kernel reports addresses in their canonical form, and answers are compared with them.
      const { address } = new SocketAddress({
        address: candidate.address,
        family: family === 4 ? 'ipv4' : 'ipv6',
      });
      this.#addResolved({ ...candidate, address });
      return;
    }
    lookup(candidate.address, { all: true }).then(
      (addresses) => {
        for (const { address } of addresses) this.#addResolved({ ...candidate, address });
      },
      (error: NodeJS.ErrnoException) => this.#problems.push(`${candidate.address} (${error.code})`),
    );
  }

  #addResolved(candidate: Candidate): void {
    if (this.#closed || this.#checks === undefined || this.#pair !== undefined) return;
    if (candidate.protocol === 'tcp') {
      if (candidate.tcpType === 'passive' && !this.#options.relayOnly) this.#openTcp(candidate);
      return;
    }
    this.#remoteCandidates.push(candidate);
    for (const socket of [...this.#udp, ...this.#relays.allocated]) this.#pairWith(socket, candidate);
  }

  #openTcp(candidate: Candidate): void {
    const socket = new TcpSocket(candidate.address, candidate.port, {
      onPacket: (packet, address, port) => this.#receive(socket, packet, address, port),
      onLost: (reason) => this.#socketLost(socket, reason),
    });
    this.#tcp.push(socket);
    this.#pairWith(socket, candidate);
  }

  #pairAll(socket: PacketSocket): void {
    for (const candidate of this.#remoteCandidates) this.#pairWith(socket, candidate);
  }

  #pairWith(socket: PacketSocket, remote: Candidate): void {
    if (socket.reaches(remote.address)) this.#checks?.add(socket, remote);
  }

  #sendCheck(pair: Pair, nominate: boolean): { transactionId: string; resend: () => void } {
    const priority = candidatePriority('prflx', pair.socket.protocol);
    const { transactionId, bytes } = bindingRequest(this.credentials, this.#remote!, { nominate, priority });
    const resend = (): void => pair.socket.send(bytes, pair.remote.address, pair.remote.port);
    resend();
    return { transactionId, resend };
  }

  #receive(socket: PacketSocket, packet: Buffer, address: string, port: number): void {
    if (this.#closed || packet.length === 0) return;
    this.lastReceivedAt = performance.now();
    if (this.#liveness !== undefined) this.#liveness.lastReceivedAt = this.lastReceivedAt;
    this.#refusals = 0;
    if (packet[0]! > 3) this.#options.onPacket(packet);
    else this.#receiveStun(socket, packet, address, port);
  }

  #receiveStun(socket: PacketSocket, packet: Buffer, address: string, port: number): void {
    const stun = readStun(packet, this.credentials, this.#remote, { address, port });
    switch (stun?.kind) {
      case 'success':
        if (this.#consentChecks.delete(stun.transactionId)) {
          this.#consentChecks.clear();
          this.#liveness?.answered();
        } else this.#checks?.answered(stun.transactionId, address, port);
        break;
      case 'error':
        this.#checks?.refused(stun.transactionId, stun.code);
        break;
      case 'request':
        socket.send(stun.answer, address, port);
        this.#learn(socket, address, port, stun.priority);
        break;
      default:
    }
  }

  /** A full peer whose check comes from an address that is not among its candidates (RFC 8445 section 7.3.1.3). */
  #learn(socket: PacketSocket, address: string, port: number, priority: number): void {
    if (socket.protocol !== 'udp' || this.#pair !== undefined) return;
    if (this.#remoteCandidates.some((known) => known.address === address && known.port === port)) return;
    const { protocol } = socket;
    const candidate: Candidate = { foundation: 'prflx', protocol, priority, address, port, type: 'prflx' };
    this.#remoteCandidates.push(candidate);
    this.#pairWith(socket, candidate);
  }

  #select(pair: Pair): void {
    this.#pair = pair;
    clearTimeout(this.#relayTimer);
    for (const socket of [...this.#udp, ...this.#tcp]) if (socket !== pair.socket) socket.close();
    this.#relays.keep(pair.socket);
    if (this.#remote!.iceLite) pair.socket.settle?.(pair.remote.address, pair.remote.port);
    this.#liveness = new LivenessMonitor(() => this.#consentCheck(), this.#options.onLiveness);
    this.#selected.resolve(pathOf(pair));
  }

  #consentCheck(): void {
    // The nomination is repeated for a lite peer, which may have lost it or taken to another pair.
    const { transactionId } = this.#sendCheck(this.#pair!, this.#remote!.iceLite);
    this.#consentChecks.add(transactionId);
  }

  #refused(): void {
    this.#refusals++;
    if (this.#refusals >= MAX_REFUSALS) this.#liveness?.broken();
  }

  #socketLost(socket: PacketSocket, reason: string): void {
    if (this.#pair?.socket === socket) this.#liveness?.broken();
    else this.#checks?.socketLost(socket, reason);
  }

  /** Sends over the selected pair; before there is one, and after `close()`, nothing. */
  send(packet: Buffer): void {
    const pair = this.#pair;
    if (pair !== undefined) pair.socket.send(packet, pair.remote.address, pair.remote.port);
  }

  /** What was tried and what became of it, as parts of a sentence. */
  get attempts(): readonly string[] {
    return [...(this.#checks?.attempts ?? []), ...this.#relays.attempts, ...this.#problems];
  }

  /** Closes every socket; an outstanding `connect()` rejects. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#relayTimer);
    this.#liveness?.close();
    this.#checks?.close();
    for (const socket of [...this.#udp, ...this.#tcp]) socket.close();
    this.#relays.close();
    this.#selected.promise.catch(() => undefined);
    this.#selected.reject(new MeetError('connection-failed', 'The media connection was closed.'));
  }
}

function pathOf({ socket, remote }: Pair): SelectedPath {
  return {
    protocol: socket.protocol,
    localType: socket.localType,
    remoteAddress: remote.address,
    remotePort: remote.port,
  };
}

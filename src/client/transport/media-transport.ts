import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import { formatCandidate } from './candidate.ts';
import { processCertificate } from './certificate.ts';
import { DtlsAssociation } from './dtls.ts';
import { IceAgent } from './ice-agent.ts';
import { turnServers } from './turn-servers.ts';
import type {
  LocalTransportParameters,
  RemoteTransportParameters,
  SelectedPath,
  SrtpKeys,
  TransportEvents,
  TransportOptions,
  TransportState,
} from './types.ts';
import { weriftInternals } from './werift-internals.ts';

const CONNECT_TIMEOUT_MS = 10_000;
/**
 * Media that comes between the peer's last handshake message and the listener's set-up waits here: about
 * 100 ms of a 720p stream. Beyond that retransmission has to help.
 */
const MAX_EARLY_PACKETS = 128;
const MAX_EARLY_DTLS = 8;
const CLOSED = 'The media connection was closed.';

export interface ConnectResult {
  /** Milliseconds from `connect()` until a pair was selected. */
  readonly iceMs: number;
  /** Milliseconds that the DTLS handshake took after it. */
  readonly dtlsMs: number;
  readonly keys: SrtpKeys;
}

/**
 * The path of one peer connection. ICE finds it, DTLS verifies the peer and gives the SRTP keys, and packets
 * then pass as they are. An ICE restart changes the path below; the DTLS association and the keys stay.
 */
export class MediaTransport extends EventEmitter<TransportEvents> {
  readonly #options: TransportOptions;
  #agent!: IceAgent;
  /** The next generation, between `restartIce()` and the success of `connectRestarted()`. */
  #restarted: IceAgent | undefined;
  #dtls: DtlsAssociation | undefined;
  #state: TransportState = 'new';
  #early: Buffer[] | undefined = [];
  /** DTLS that a peer in the client role sends before the answer to our check is here. */
  #earlyDtls: Buffer[] | undefined = [];
  #interrupt = Promise.withResolvers<never>();

  private constructor(options: TransportOptions) {
    super();
    this.#options = options;
    this.#interrupt.promise.catch(() => undefined);
  }

  /**
   * Loads and makes ahead what the first transport needs (some 60 ms of computing), so that it can be done
   * while a reply of the server is awaited.
   */
  static preload(): void {
    weriftInternals();
    processCertificate();
  }

  /**
   * Opens the sockets; no STUN server is asked. With the policy `relay` it waits for a TURN allocation.
   *
   * @throws MeetError `connection-failed` when there is no socket or no relay to be had.
   */
  static async create(options: TransportOptions): Promise<MediaTransport> {
    MediaTransport.preload();
    const transport = new MediaTransport(options);
    transport.#agent = await transport.#gather();
    return transport;
  }

  #gather(): Promise<IceAgent> {
    const agent: { current?: IceAgent } = {};
    const { iceServers = [], iceTransportPolicy = 'all', turnTlsCa } = this.#options;
    return IceAgent.gather({
      turnServers: turnServers(iceServers),
      relayOnly: iceTransportPolicy === 'relay',
      ...(turnTlsCa === undefined ? {} : { tlsCa: turnTlsCa }),
      onPacket: (packet) => this.#receive(packet),
      onLiveness: (liveness) => {
        const established = this.#state === 'connected' || this.#state === 'disconnected';
        if (agent.current === this.#agent && established) this.#setState(liveness);
      },
    }).then((gathered) => {
      agent.current = gathered;
      return gathered;
    });
  }

  get local(): LocalTransportParameters {
    return localParameters(this.#agent);
  }

  get state(): TransportState {
    return this.#state;
  }

  get path(): SelectedPath | undefined {
    return this.#agent.path;
  }

  /** `performance.now()` of the last packet of any kind, STUN included; 0 before the first. */
  get lastReceivedAt(): number {
    return this.#agent.lastReceivedAt;
  }

  /**
   * Finds a path and runs the DTLS handshake. May be called once.
   *
   * @throws MeetError `connection-failed` when there is no path within `connectTimeoutMs` (the message says
   * what was tried), the peer refuses, or `close()` comes first; `peer-not-verified` when the peer is not the
   * one of the remote description. The transport is then `failed`.
   */
  async connect(remote: RemoteTransportParameters): Promise<ConnectResult> {
    if (this.#state !== 'new') throw new MeetError('internal', 'The media transport was connected before.');
    this.#setState('connecting');
    const timer = setTimeout(() => this.#timedOut(this.#agent), this.#timeoutMs);
    const startedAt = performance.now();
    try {
      await Promise.race([this.#agent.connect(remote), this.#interrupt.promise]);
      const iceAt = performance.now();
      this.#dtls = new DtlsAssociation({
        role: remote.dtlsRole,
        certificate: processCertificate(),
        fingerprints: remote.fingerprints,
        send: (packet) => this.#agent.send(packet),
        onClosed: () => this.#setState('failed'),
      });
      const handshake = this.#dtls.handshake();
      for (const packet of this.#earlyDtls ?? []) this.#dtls.receive(packet);
      this.#earlyDtls = undefined;
      const keys = await Promise.race([handshake, this.#interrupt.promise]);
      const dtlsMs = performance.now() - iceAt;
      this.#setState(this.#agent.liveness);
      if (this.path !== undefined) this.emit('path', this.path);
      // After the caller has had the keys.
      setImmediate(() => this.#releaseEarly());
      return { iceMs: iceAt - startedAt, dtlsMs, keys };
    } catch (error) {
      this.#setState('failed');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get #timeoutMs(): number {
    return this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  }

  #timedOut(agent: IceAgent): void {
    this.#interrupt.reject(connectionFailed(agent, this.#timeoutMs));
  }

  #receive(packet: Buffer): void {
    const first = packet[0]!;
    // RFC 7983: 128 to 191 is RTP and RTCP, 20 to 63 DTLS.
    if (first > 127 && first < 192) {
      if (this.#early === undefined) this.emit('packet', packet);
      else if (this.#early.length < MAX_EARLY_PACKETS) this.#early.push(packet);
    } else if (first > 19 && first < 64) {
      if (this.#dtls !== undefined) this.#dtls.receive(packet);
      else if (this.#earlyDtls !== undefined && this.#earlyDtls.length < MAX_EARLY_DTLS)
        this.#earlyDtls.push(packet);
    }
  }

  #releaseEarly(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const packet of early) this.emit('packet', packet);
  }

  /** Sends an SRTP or SRTCP packet over the selected path. It never throws; like any packet it may be lost. */
  send(packet: Buffer): void {
    this.#agent.send(packet);
  }

  /** Adds an `a=candidate:` value of the remote side; what cannot be used is ignored. */
  addRemoteCandidate(candidate: string): void {
    (this.#restarted ?? this.#agent).addRemoteCandidate(candidate);
  }

  /**
   * Begins an ICE restart: new sockets and credentials beside the old ones, which go on carrying media. A
   * restart that is under way is given up for this one.
   *
   * @throws MeetError `connection-failed` when there is no socket or no relay, or the transport is over.
   */
  async restartIce(): Promise<LocalTransportParameters> {
    this.#assertUsable();
    const agent = await this.#gather();
    if (this.#isOver) {
      agent.close();
      this.#assertUsable();
    }
    this.#restarted?.close();
    this.#restarted = agent;
    return localParameters(agent);
  }

  /**
   * Runs the checks of an ICE restart. On success the new path takes over at once and the old one is closed;
   * on failure the old one stays.
   *
   * @throws MeetError `connection-failed` when no path is found within `connectTimeoutMs` (the message says
   * what was tried), a newer restart replaced this one, or `close()` came.
   */
  async connectRestarted(remote: RemoteTransportParameters): Promise<void> {
    this.#assertUsable();
    const agent = this.#restarted;
    if (agent === undefined) throw new MeetError('internal', 'There is no ICE restart to connect.');
    const timeout = Promise.withResolvers<never>();
    const timer = setTimeout(() => timeout.reject(connectionFailed(agent, this.#timeoutMs)), this.#timeoutMs);
    try {
      const path = await Promise.race([agent.connect(remote), timeout.promise]);
      const old = this.#agent;
      this.#agent = agent;
      this.#restarted = undefined;
      old.close();
      this.#setState(agent.liveness);
      this.emit('path', path);
    } catch (error) {
      agent.close();
      if (this.#restarted === agent) this.#restarted = undefined;
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get #isOver(): boolean {
    return this.#state === 'failed' || this.#state === 'closed';
  }

  #assertUsable(): void {
    if (this.#isOver) throw new MeetError('connection-failed', CLOSED);
  }

  #setState(state: TransportState): void {
    if (this.#state === state || this.#isOver) return;
    this.#state = state;
    // Without consent nothing may be sent any more (RFC 7675 section 5.1).
    if (state === 'failed') this.#shut();
    this.emit('state', state);
  }

  /** Says goodbye (DTLS close_notify) and closes everything. May be called twice. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#shut();
    this.#state = 'closed';
    this.emit('state', 'closed');
  }

  #shut(): void {
    this.#interrupt.reject(new MeetError('connection-failed', CLOSED));
    this.#dtls?.close();
    this.#agent.close();
    this.#restarted?.close();
    this.#early = [];
  }
}

function localParameters(agent: IceAgent): LocalTransportParameters {
  return {
    ...agent.credentials,
    fingerprint: processCertificate().fingerprint,
    candidates: agent.candidates.map(formatCandidate),
  };
}

function connectionFailed(agent: IceAgent, timeoutMs: number): MeetError {
  const { path } = agent;
  const seconds = timeoutMs / 1000;
  if (path !== undefined)
    return new MeetError(
      'connection-failed',
      `A path to the server was found (${path.protocol.toUpperCase()} to ${path.remoteAddress}, port ` +
        `${path.remotePort}), but it did not finish the DTLS handshake within ${seconds} s.`,
    );
  const { attempts } = agent;
  const tried = attempts.length === 0 ? 'it named no usable candidate' : `tried ${attempts.join(', ')}`;
  return new MeetError('connection-failed', `No media path to the server within ${seconds} s: ${tried}.`, {
    hint: "Check that the server's announced address can be reached from here over UDP or TCP, or give it a TURN server.",
  });
}

/** A participant from the first signaling connection to the last; its media outlive a connection that breaks. */
import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import type { MediaSource, ParticipantInfo, ParticipantState, Role } from '../../protocol/model.ts';
import { CLOSE, type ClientMessage, type ServerMessage } from '../../protocol/signaling.ts';
import type { ChatBatch, ChatDelivery } from '../chat/delivery.ts';
import type { ServerLogger } from '../config.ts';
import type { MediaRights } from '../meetings/media-rights.ts';
import type { Peer } from '../sfu/index.ts';
import type { StateBroadcast } from './broadcast.ts';
import { type Connection, errorMessage } from './connection.ts';
import { execute, laneOf, type MeetingRequest, type OkPayload, type PeerRequest } from './dispatch.ts';
import { OpenOffer } from './open-offer.ts';
import { RequestQueue } from './requests.ts';
import { type Credentials, TokenRefresh } from './token-refresh.ts';

/** Who a participant is; all of it is in the token. */
export interface ParticipantIdentity {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly userId: string | null;
  /** The recording that it makes, or `standalone`; `null` for everybody else. */
  readonly recorder: string | null;
}

/** Why the server ends a participant's presence: close code, reason of `bye`, and a sentence. */
export interface Farewell {
  readonly code: number;
  readonly reason: string;
  readonly message: string;
}

export interface SessionEvents {
  /** What {@link Session.info} says has changed. */
  changed: [];
  /** It is over, for good. */
  gone: [info: { reason: string }];
}

export interface SessionOptions {
  readonly identity: ParticipantIdentity;
  /** Milliseconds since the epoch. */
  readonly joinedAt: number;
  /** Comes in only when a host says so. */
  readonly waiting: boolean;
  /** Where it connects from, for limits and blocks; `null` after a restart, until it does. */
  readonly address: string | null;
  readonly rights: MediaRights;
  readonly chat: ChatDelivery;
  readonly state: StateBroadcast;
  /** Those whom the participant sees, itself among them. */
  readonly visible: () => ParticipantInfo[];
  /** Answers a request that is not about the participant's own media. @throws MeetError */
  readonly handle: (request: MeetingRequest) => Promise<OkPayload>;
  /** Makes the participant's place in the room, when the first connection comes. */
  readonly addPeer: () => Peer;
  readonly issueCredentials: () => Promise<Credentials>;
  readonly tokenTtlMs: number;
  readonly resumeWindowMs: number;
  readonly logger: ServerLogger;
}

export class Session extends EventEmitter<SessionEvents> {
  /** What it may send. */
  readonly rights: MediaRights;
  readonly #options: SessionOptions;
  readonly #requests: RequestQueue;
  readonly #tokens: TokenRefresh;
  readonly #offer = new OpenOffer();
  #state: ParticipantState = 'reconnecting';
  #waiting: boolean;
  #role: Role;
  #hand: number | null = null;
  #address: string | null;
  #connection: Connection | undefined;
  #peer: Peer | undefined;
  #publishing = false;
  /**
   * What the client has not shown to know: that it has begun (any request for media shows it), or that its media are
   * gone (one with `reset` does). A message may be lost with a connection that is dead without anybody knowing yet.
   */
  #untold: 'begin' | 'reset' | undefined = 'begin';
  #windowTimer: NodeJS.Timeout | undefined;
  /** Number of the last chat message that the connection's client has. */
  #after: number | undefined;

  /** It begins as one whose connection broke: without a connection in the resume window it is gone. */
  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    this.rights = options.rights;
    this.#role = options.identity.role;
    this.#address = options.address;
    this.#waiting = options.waiting;
    this.#requests = new RequestQueue((text) => this.sendText(text));
    this.#tokens = new TokenRefresh({
      issue: options.issueCredentials,
      ttlMs: options.tokenTtlMs,
      onFresh: ({ token, expiresAt, iceServers }) => {
        const fresh = { token: { token, expiresAt }, ...(iceServers.length > 0 ? { iceServers } : {}) };
        this.sendText(options.state.personal(fresh));
      },
      onError: (error) => options.logger.error({ err: error }, 'No fresh token could be made'),
    });
    this.#armWindow();
  }

  get closed(): boolean {
    return this.#state === 'left';
  }

  /** Who it is now: the role may have changed since it came. */
  get identity(): ParticipantIdentity {
    return { ...this.#options.identity, role: this.#role };
  }

  get address(): string | null {
    return this.#address;
  }

  /** In the waiting room, connected or not. */
  get waiting(): boolean {
    return this.#waiting;
  }

  info(): ParticipantInfo {
    const { id, name, recorder } = this.#options.identity;
    const tracks = this.#peer?.tracks ?? [];
    const state = this.#waiting && !this.closed ? 'waiting' : this.#state;
    const { joinedAt } = this.#options;
    const mark = recorder === null ? {} : { recorder: true };
    return { id, name, role: this.#role, state, joinedAt, hand: this.#hand, ...mark, tracks };
  }

  /** Sends a serialised message if there is a connection. */
  sendText(text: string): void {
    void this.#connection?.sendText(text);
  }

  /** Sends a message to who has been let in. */
  notify(message: ServerMessage): void {
    if (!this.#waiting) this.#connection?.send(message);
  }

  /** New chat messages. */
  deliver(batch: ChatBatch): void {
    this.#options.chat.deliver(batch);
  }

  /** A host gives it another role; its token says so, too. */
  setRole(role: Role): void {
    if (this.#role === role || this.closed) return;
    this.#role = role;
    if (this.#connection !== undefined) this.#tokens.renew();
    this.emit('changed');
  }

  setHand(raised: boolean): void {
    if (raised === (this.#hand !== null) || this.closed) return;
    this.#hand = raised ? Date.now() : null;
    this.emit('changed');
  }

  /** A host asks it to unmute. */
  askToUnmute(participantId: string | null, source: MediaSource): void {
    this.rights.grant(source);
    this.notify({ type: 'unmute-request', payload: { participantId, source } });
  }

  /** Takes a connection in the place of the one before it; `after` is the last chat message that the client has. */
  attach(
    connection: Connection,
    {
      tokenExpiresAt,
      address,
      after,
    }: { tokenExpiresAt: number; address: string; after?: number | undefined },
  ): void {
    if (this.closed || connection.closed) return;
    const previous = this.#connection;
    this.#connection = connection;
    this.#address = address;
    this.#after = after;
    previous?.refuse('replaced', 'The same participant connected again.', CLOSE.replaced);
    clearTimeout(this.#windowTimer);
    connection.on('message', (message, text) => this.#receive(message, text));
    connection.on('closed', (info) => this.#detach(connection, info));

    this.#state = 'joined';
    this.#begin(connection);
    if (this.#offer.text !== undefined) this.sendText(this.#offer.text);
    this.#tokens.start(tokenExpiresAt);
    this.emit('changed');
  }

  /** Lets a participant in who waits. */
  admit(): void {
    if (!this.#waiting || this.closed) return;
    this.#waiting = false;
    if (this.#connection !== undefined) this.#begin(this.#connection);
    this.emit('changed');
  }

  /** A worker died and took the participant's connections with it. */
  mediaReset(): void {
    this.#offer.clear();
    this.#untold = 'reset';
  }

  /** Ends the participant's presence; with a farewell its client is told why. */
  close(reason: string, farewell?: Farewell): void {
    if (this.closed) return;
    this.#state = 'left';
    clearTimeout(this.#windowTimer);
    this.#tokens.stop();
    this.#options.chat.stop();
    const connection = this.#connection;
    this.#connection = undefined;
    if (farewell !== undefined) {
      connection?.send({ type: 'bye', payload: { reason: farewell.reason, message: farewell.message } });
    }
    connection?.close(farewell?.code ?? CLOSE.left, farewell?.message ?? reason);
    this.#peer?.close();
    this.emit('gone', { reason });
  }

  /** Tells a connection everything, which for those who wait is nothing but themselves. */
  #begin(connection: Connection): void {
    const resumed = this.#peer !== undefined && this.#untold === undefined;
    if (!this.#waiting) this.#peer ??= this.#createPeer();
    const self = { participantId: this.identity.id, resumed };
    const { state, visible, chat, logger } = this.#options;
    void connection.sendText(state.full(self, visible(), this.#waiting));
    const personal = this.#peer?.personal ?? {};
    if (Object.keys(personal).length > 0) void connection.sendText(state.personal(personal));
    if (this.#waiting) return;
    chat
      .begin((text) => connection.sendText(text), this.#after)
      .catch((error: unknown) => {
        logger.error({ err: error }, 'Chat messages could not be read');
        // The client comes back and asks for them again.
        connection.close(CLOSE.heartbeatTimeout, 'The chat could not be read.');
      });
  }

  #createPeer(): Peer {
    const peer = this.#options.addPeer();
    this.rights.govern(peer);
    peer.on('offer', (offer) => {
      if (this.closed) return;
      // It stays open while nobody is connected.
      const text = this.#offer.set(offer);
      this.sendText(text);
    });
    peer.on('personal', (update) => this.sendText(this.#options.state.personal(update)));
    peer.on('tracks', () => {
      if (!this.closed) this.emit('changed');
    });
    return peer;
  }

  #detach(connection: Connection, { code, reason }: { code: number; reason: string }): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#tokens.stop();
    this.#options.chat.stop();
    this.#state = 'reconnecting';
    this.#options.logger.debug({ code, reason }, 'Signaling connection ended');
    this.#armWindow();
    this.emit('changed');
  }

  #armWindow(): void {
    this.#windowTimer = setTimeout(() => this.close('timeout'), this.#options.resumeWindowMs);
  }

  #receive(message: ClientMessage, text: string): void {
    switch (message.type) {
      case 'ping':
        // Not queued: a slow publish must not look like a dead server.
        this.#reply({ type: 'ok', id: message.id, payload: {} });
        return;
      case 'answer':
        this.#answer(message.id, message.payload.sdp);
        return;
      case 'ice-candidate':
        this.#peer?.addIceCandidate(message.payload);
        return;
      case 'error':
        this.#offerRefused(message.id, message.payload);
        return;
      case 'leave':
        this.#reply({ type: 'ok', id: message.id, payload: {} });
        this.close('left');
        return;
      default:
        this.#request(message, text);
    }
  }

  #request(request: PeerRequest | MeetingRequest, text: string): void {
    const known = this.#requests.lookUp(request.id, text);
    if (known === 'running') return;
    if (known !== undefined) {
      this.sendText(known.reply);
      return;
    }
    const isOffer = request.type === 'offer';
    if (isOffer && this.#publishing) {
      const error = new MeetError('offer-pending', 'The previous offer is not answered yet.');
      this.#reply(errorMessage(error, request.id));
      return;
    }
    const accepted = this.#requests.submit(request.id, text, laneOf(request), () => this.#execute(request));
    if (!accepted) {
      this.#connection?.refuse('rate-limited', 'Too many requests wait for their reply.', CLOSE.rateLimited);
    } else if (isOffer) {
      this.#publishing = true;
    }
  }

  async #execute(request: PeerRequest | MeetingRequest): Promise<ServerMessage> {
    try {
      if (this.closed) throw new MeetError('not-found', 'The participant has left.');
      if (request.type === 'action') return await this.#handle(request);
      // Everything else is for those who have been let in.
      if (this.#peer === undefined) {
        throw new MeetError('forbidden', 'A host has to let you in first.', {
          hint: 'Wait for the state-update in which you have joined.',
        });
      }
      if (request.type === 'message' || request.type === 'messages' || request.type === 'reaction') {
        return await this.#handle(request);
      }
      this.#noteTold(request);
      if (request.type === 'state-update') {
        const { muted = [], hand } = request.payload;
        for (const change of muted) if (!change.muted) this.rights.unmute(change.trackId);
        if (hand !== undefined) this.setHand(hand);
      }
      return await execute(this.#peer, request);
    } catch (error) {
      this.#logFailure(error, request.type);
      return errorMessage(error, request.id);
    } finally {
      if (request.type === 'offer') this.#publishing = false;
    }
  }

  async #handle(request: MeetingRequest): Promise<ServerMessage> {
    return { type: 'ok', id: request.id, payload: await this.#options.handle(request) };
  }

  #noteTold(request: PeerRequest): void {
    if (request.type !== 'offer' && request.type !== 'subscribe') return;
    if (this.#untold === 'begin' || request.payload.reset === true) this.#untold = undefined;
  }

  #answer(id: number, sdp: string): void {
    if (this.#peer === undefined || !this.#offer.settle(id)) {
      const error = new MeetError('unexpected-answer', `No offer ${id} waits for an answer.`);
      // Without an id: it would look like the reply to a request of the client's.
      this.#reply(errorMessage(error));
      return;
    }
    this.#peer.answer(sdp).catch((error: unknown) => {
      this.#logFailure(error, 'answer');
      this.#reply(errorMessage(error));
    });
  }

  #offerRefused(id: number, { code }: { code: string }): void {
    // The connection stays as it is until the client subscribes anew.
    if (this.#offer.settle(id)) this.#options.logger.warn({ code }, 'Client refused the subscribe offer');
  }

  #reply(message: ServerMessage): void {
    this.#connection?.send(message);
  }

  #logFailure(error: unknown, request: string): void {
    const { logger } = this.#options;
    if (error instanceof MeetError && error.fault === 'caller') {
      logger.debug({ request, code: error.code }, error.message);
    } else {
      logger.error({ request, err: error }, 'Signaling request failed');
    }
  }
}

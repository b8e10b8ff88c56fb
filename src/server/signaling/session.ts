/** A participant from the first signaling connection to the last; its media outlive a connection that breaks. */
import { EventEmitter } from 'node:events';
import type { Action } from '../../protocol/actions.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { ParticipantInfo, ParticipantState, Role } from '../../protocol/model.ts';
import { CLOSE, type ClientMessage, type ServerMessage } from '../../protocol/signaling.ts';
import type { ServerLogger } from '../config.ts';
import type { Peer } from '../sfu/index.ts';
import type { StateBroadcast } from './broadcast.ts';
import { type Connection, errorMessage } from './connection.ts';
import { type ActionRequest, type ChatRequest, execute, type PeerRequest } from './dispatch.ts';
import { OpenOffer } from './open-offer.ts';
import { RequestQueue } from './requests.ts';
import { type Credentials, TokenRefresh } from './token-refresh.ts';

/** Who a participant is; all of it is in the token. */
export interface ParticipantIdentity {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly userId: string | null;
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
  readonly state: StateBroadcast;
  /** Those whom the participant sees, itself among them. */
  readonly visible: () => ParticipantInfo[];
  /** Carries out what a host decides about someone who waits. @throws MeetError `forbidden`, `not-found` */
  readonly decide: (action: Action) => void;
  /** Makes the participant's place in the room, when the first connection comes. */
  readonly addPeer: () => Peer;
  readonly issueCredentials: () => Promise<Credentials>;
  readonly tokenTtlMs: number;
  readonly resumeWindowMs: number;
  readonly logger: ServerLogger;
}

export class Session extends EventEmitter<SessionEvents> {
  readonly identity: ParticipantIdentity;
  readonly #options: SessionOptions;
  readonly #requests: RequestQueue;
  readonly #tokens: TokenRefresh;
  readonly #offer = new OpenOffer();
  #state: ParticipantState = 'reconnecting';
  #waiting: boolean;
  #connection: Connection | undefined;
  #peer: Peer | undefined;
  #publishing = false;
  /**
   * What the client has not shown to know: that it has begun (any request for media shows it), or that its media are
   * gone (one with `reset` does). A message may be lost with a connection that is dead without anybody knowing yet.
   */
  #untold: 'begin' | 'reset' | undefined = 'begin';
  #windowTimer: NodeJS.Timeout | undefined;

  /** It begins as one whose connection broke: without a connection in the resume window it is gone. */
  constructor(options: SessionOptions) {
    super();
    this.identity = options.identity;
    this.#options = options;
    this.#waiting = options.waiting;
    this.#requests = new RequestQueue((text) => this.#connection?.sendText(text));
    this.#tokens = new TokenRefresh({
      issue: options.issueCredentials,
      ttlMs: options.tokenTtlMs,
      onFresh: ({ token, expiresAt, iceServers }) => {
        const fresh = { token: { token, expiresAt }, ...(iceServers.length > 0 ? { iceServers } : {}) };
        this.#connection?.sendText(options.state.personal(fresh));
      },
      onError: (error) => options.logger.error({ err: error }, 'No fresh token could be made'),
    });
    this.#armWindow();
  }

  get closed(): boolean {
    return this.#state === 'left';
  }

  /** In the waiting room, connected or not. */
  get waiting(): boolean {
    return this.#waiting;
  }

  info(): ParticipantInfo {
    const { id, name, role } = this.identity;
    const tracks = this.#peer?.tracks ?? [];
    const state = this.#waiting && !this.closed ? 'waiting' : this.#state;
    return { id, name, role, state, joinedAt: this.#options.joinedAt, hand: null, tracks };
  }

  /** Sends a serialised message if there is a connection. */
  sendText(text: string): void {
    this.#connection?.sendText(text);
  }

  /** Takes a connection in the place of the one before it. */
  attach(connection: Connection, tokenExpiresAt: number): void {
    if (this.closed || connection.closed) return;
    const previous = this.#connection;
    this.#connection = connection;
    previous?.refuse('replaced', 'The same participant connected again.', CLOSE.replaced);
    clearTimeout(this.#windowTimer);
    connection.on('message', (message, text) => this.#receive(message, text));
    connection.on('closed', (info) => this.#detach(connection, info));

    this.#state = 'joined';
    this.#begin(connection);
    if (this.#offer.text !== undefined) connection.sendText(this.#offer.text);
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
    connection.sendText(this.#options.state.full(self, this.#options.visible()));
    const personal = this.#peer?.personal ?? {};
    if (Object.keys(personal).length > 0) connection.sendText(this.#options.state.personal(personal));
  }

  #createPeer(): Peer {
    const peer = this.#options.addPeer();
    peer.on('offer', (offer) => {
      if (this.closed) return;
      // It stays open while nobody is connected.
      const text = this.#offer.set(offer);
      this.#connection?.sendText(text);
    });
    peer.on('personal', (update) => this.#connection?.sendText(this.#options.state.personal(update)));
    peer.on('tracks', () => {
      if (!this.closed) this.emit('changed');
    });
    return peer;
  }

  #detach(connection: Connection, { code, reason }: { code: number; reason: string }): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    this.#tokens.stop();
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

  #request(request: PeerRequest | ChatRequest | ActionRequest, text: string): void {
    const known = this.#requests.lookUp(request.id, text);
    if (known === 'running') return;
    if (known !== undefined) {
      this.#connection?.sendText(known.reply);
      return;
    }
    const isOffer = request.type === 'offer';
    if (isOffer && this.#publishing) {
      const error = new MeetError('offer-pending', 'The previous offer is not answered yet.');
      this.#reply(errorMessage(error, request.id));
      return;
    }
    const accepted = this.#requests.submit(request.id, text, () => this.#execute(request));
    if (!accepted) {
      this.#connection?.refuse('rate-limited', 'Too many requests wait for their reply.', CLOSE.rateLimited);
    } else if (isOffer) {
      this.#publishing = true;
    }
  }

  async #execute(request: PeerRequest | ChatRequest | ActionRequest): Promise<ServerMessage> {
    try {
      if (this.closed) throw new MeetError('not-found', 'The participant has left.');
      if (request.type === 'action') {
        this.#options.decide(request.payload);
        return { type: 'ok', id: request.id, payload: {} };
      }
      if (this.#peer === undefined) {
        throw new MeetError('forbidden', 'A host has to let you in first.', {
          hint: 'Wait for the state-update in which you have joined.',
        });
      }
      if (request.type === 'message' || request.type === 'messages' || request.type === 'reaction') {
        throw new MeetError('forbidden', 'There is no chat here.');
      }
      this.#noteTold(request);
      return await execute(this.#peer, request);
    } catch (error) {
      this.#logFailure(error, request.type);
      return errorMessage(error, request.id);
    } finally {
      if (request.type === 'offer') this.#publishing = false;
    }
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

/** A participant from the first signaling connection to the last; its media outlive a connection that breaks. */
import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import type { IceServer, ParticipantInfo, ParticipantState, Role } from '../../protocol/model.ts';
import { CLOSE, type ClientMessage, type ServerMessage } from '../../protocol/signaling.ts';
import type { ServerLogger } from '../config.ts';
import type { Peer, SubscribeOffer } from '../sfu/index.ts';
import type { StateBroadcast } from './broadcast.ts';
import { type Connection, errorMessage } from './connection.ts';
import { execute, type PeerRequest } from './dispatch.ts';
import { RequestQueue } from './requests.ts';

/** Who a participant is; all of it is in the token. */
export interface ParticipantIdentity {
  readonly id: string;
  readonly name: string;
  readonly role: Role;
  readonly userId: string | null;
}

/** What a participant needs to come back and to get through. */
export interface Credentials {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly iceServers: IceServer[];
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
  readonly state: StateBroadcast;
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
  #state: ParticipantState = 'reconnecting';
  #connection: Connection | undefined;
  #peer: Peer | undefined;
  #publishing = false;
  #openOffer: { readonly id: number; readonly text: string } | undefined;
  #lastOfferId = 0;
  #mediaLost = false;
  #windowTimer: NodeJS.Timeout | undefined;
  #tokenTimer: NodeJS.Timeout | undefined;

  /** It begins as one whose connection broke: without a connection in the resume window it is gone. */
  constructor(options: SessionOptions) {
    super();
    this.identity = options.identity;
    this.#options = options;
    this.#requests = new RequestQueue((text) => this.#connection?.sendText(text));
    this.#armWindow();
  }

  get closed(): boolean {
    return this.#state === 'left';
  }

  info(): ParticipantInfo {
    const { id, name, role } = this.identity;
    const tracks = this.#peer?.tracks ?? [];
    return { id, name, role, state: this.#state, joinedAt: this.#options.joinedAt, tracks };
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

    const resumed = this.#peer !== undefined && !this.#mediaLost;
    this.#mediaLost = false;
    this.#peer ??= this.#createPeer();
    this.#state = 'joined';
    connection.sendText(this.#options.state.full({ participantId: this.identity.id, resumed }));
    const personal = this.#peer.personal;
    if (Object.keys(personal).length > 0) connection.sendText(this.#options.state.personal(personal));
    if (this.#openOffer !== undefined) connection.sendText(this.#openOffer.text);
    this.#scheduleToken(tokenExpiresAt);
    this.emit('changed');
  }

  /** A worker died and took the participant's connections with it. */
  mediaReset(): void {
    this.#openOffer = undefined;
    // Who is away now learns it from the first message on its return.
    if (this.#connection === undefined) this.#mediaLost = true;
  }

  /** Ends the participant's presence; with a farewell its client is told why. */
  close(reason: string, farewell?: Farewell): void {
    if (this.closed) return;
    this.#state = 'left';
    clearTimeout(this.#windowTimer);
    clearTimeout(this.#tokenTimer);
    const connection = this.#connection;
    this.#connection = undefined;
    if (farewell !== undefined) {
      connection?.send({ type: 'bye', payload: { reason: farewell.reason, message: farewell.message } });
    }
    connection?.close(farewell?.code ?? CLOSE.left, farewell?.message ?? reason);
    this.#peer?.close();
    this.emit('gone', { reason });
  }

  #createPeer(): Peer {
    const peer = this.#options.addPeer();
    peer.on('offer', (offer) => this.#offer(offer));
    peer.on('personal', (update) => this.#connection?.sendText(this.#options.state.personal(update)));
    peer.on('tracks', () => {
      if (!this.closed) this.emit('changed');
    });
    return peer;
  }

  #detach(connection: Connection, { code, reason }: { code: number; reason: string }): void {
    if (this.#connection !== connection) return;
    this.#connection = undefined;
    clearTimeout(this.#tokenTimer);
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

  #request(request: PeerRequest, text: string): void {
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

  async #execute(request: PeerRequest): Promise<ServerMessage> {
    try {
      const peer = this.#peer;
      if (peer === undefined || this.closed) throw new MeetError('not-found', 'The participant has left.');
      return await execute(peer, request);
    } catch (error) {
      this.#logFailure(error, request.type);
      return errorMessage(error, request.id);
    } finally {
      if (request.type === 'offer') this.#publishing = false;
    }
  }

  #offer(offer: SubscribeOffer): void {
    if (this.closed) return;
    this.#lastOfferId += 1;
    const text = JSON.stringify({
      type: 'offer',
      id: this.#lastOfferId,
      payload: offer,
    } satisfies ServerMessage);
    this.#openOffer = { id: this.#lastOfferId, text };
    this.#connection?.sendText(text);
  }

  #answer(id: number, sdp: string): void {
    if (this.#openOffer?.id !== id || this.#peer === undefined) {
      const error = new MeetError('unexpected-answer', `No offer ${id} waits for an answer.`);
      // Without an id: it would look like the reply to a request of the client's.
      this.#reply(errorMessage(error));
      return;
    }
    this.#openOffer = undefined;
    this.#peer.answer(sdp).catch((error: unknown) => {
      this.#logFailure(error, 'answer');
      this.#reply(errorMessage(error));
    });
  }

  #offerRefused(id: number, reason: { code: string; message: string }): void {
    if (this.#openOffer?.id !== id) return;
    // The connection stays as it is until the client subscribes anew.
    this.#openOffer = undefined;
    this.#options.logger.warn({ code: reason.code }, 'Client refused the subscribe offer');
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

  #scheduleToken(expiresAt: number): void {
    clearTimeout(this.#tokenTimer);
    const delay = Math.max(0, expiresAt - Date.now() - this.#options.tokenTtlMs / 2);
    this.#tokenTimer = setTimeout(() => {
      this.#refreshToken().catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'No fresh token could be made');
      });
    }, delay);
  }

  async #refreshToken(): Promise<void> {
    const { token, expiresAt, iceServers } = await this.#options.issueCredentials();
    if (this.#connection === undefined) return;
    const fresh = { token: { token, expiresAt }, ...(iceServers.length > 0 ? { iceServers } : {}) };
    this.#connection.sendText(this.#options.state.personal(fresh));
    this.#scheduleToken(expiresAt);
  }
}

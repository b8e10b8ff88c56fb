import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Static } from 'typebox';
import type { ChatMessage } from '../../protocol/chat.ts';
import { isErrorCode, MeetError } from '../../protocol/errors.ts';
import type { MediaSource } from '../../protocol/model.ts';
import {
  CLOSE,
  type ClientRequest,
  type ServerMessage,
  type ServerOffer,
  type StateUpdate,
} from '../../protocol/signaling.ts';
import { backoffMs } from '../backoff.ts';
import { SignalingConnection } from './connection.ts';

export type SubscribeOffer = Static<typeof ServerOffer>['payload'];
type Reply = Extract<ServerMessage, { type: 'ok' | 'answer' }>;
type RequestOf<T extends ClientRequest['type']> = Extract<ClientRequest, { type: T }>;

/** Why signaling is over for good. */
export interface SignalingEnd {
  readonly code: number;
  readonly error: MeetError;
  /** `reason` of the server's `bye`, where there was one. */
  readonly bye?: string;
}

interface SignalingEvents {
  'state-update': [update: StateUpdate];
  chat: [messages: readonly ChatMessage[]];
  reaction: [reaction: { readonly participantId: string; readonly reaction: string }];
  'share-stopped': [by: { readonly participantId: string | null }];
  'unmute-request': [request: { readonly participantId: string | null; readonly source: MediaSource }];
  /** `answer` sends the reply. */
  offer: [offer: SubscribeOffer, answer: (sdp: string) => void];
  /** The connection broke and is being made again. */
  down: [info: { reason: string; attempt: number }];
  /** It is there again; the full update came just before. */
  up: [info: { resumed: boolean }];
  end: [end: SignalingEnd];
}

interface PendingRequest {
  readonly message: ClientRequest;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: MeetError) => void;
}

export interface SignalingClientOptions {
  readonly url: string;
  readonly token: string;
  /** How long to try to come back before giving up, milliseconds. */
  readonly reconnectTimeoutMs: number;
  /** Number of the last chat message that came: what came after it is asked for on coming back. */
  readonly lastMessage?: () => number | undefined;
}

/**
 * Signaling of one participant across connections: numbers requests, matches replies, reconnects with backoff,
 * and sends again what had no reply yet (the server answers a repeated id from memory, so nothing is done
 * twice).
 */
export class SignalingClient extends EventEmitter<SignalingEvents> {
  readonly #options: SignalingClientOptions;
  readonly #pending = new Map<number, PendingRequest>();
  readonly #closing = new AbortController();
  #token: string;
  #nextId = 1;
  #connection: SignalingConnection | undefined;
  /** The connection has had its full update: requests may go out. */
  #ready = false;
  #bye: { reason: string; message: string } | undefined;
  #lastError: MeetError | undefined;
  #ended = false;

  constructor(options: SignalingClientOptions) {
    super();
    this.#options = options;
    this.#token = options.token;
  }

  /** The latest token: it changes every some minutes. */
  get token(): string {
    return this.#token;
  }

  /**
   * Connects for the first time.
   *
   * @throws MeetError `server-unreachable`, or what the server refused with
   */
  async connect(signal?: AbortSignal): Promise<StateUpdate> {
    const connection = await SignalingConnection.open(this.#url(), this.#token, signal);
    return await this.#adopt(connection);
  }

  /** Sends a request; resolves with its reply, across reconnections. Rejects with the server's error. */
  request<T extends ClientRequest['type']>(type: T, payload: RequestOf<T>['payload']): Promise<Reply> {
    if (this.#ended) return Promise.reject(new MeetError('server-unreachable', 'The meeting is over.'));
    const id = this.#nextId++;
    const message = { type, id, payload } as RequestOf<T>;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { message, resolve, reject });
      if (this.#ready) this.#connection?.send(message);
    });
  }

  /** Drops the current connection as a broken network would; for tests of what comes after. */
  interrupt(): void {
    this.#connection?.terminate('interrupted');
  }

  /** Ends signaling. No event follows. */
  close(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#closing.abort();
    this.#failPending(new MeetError('server-unreachable', 'The meeting is over.'));
    this.#connection?.close(CLOSE.left, 'left');
  }

  #url(): string {
    const last = this.#options.lastMessage?.();
    return last === undefined ? this.#options.url : `${this.#options.url}?after=${last}`;
  }

  #failPending(error: MeetError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const request of pending) request.reject(error);
  }

  /** Waits for the connection's full update; from then on the connection is the one in use. */
  #adopt(connection: SignalingConnection): Promise<StateUpdate> {
    this.#connection = connection;
    this.#ready = false;
    this.#bye = undefined;
    this.#lastError = undefined;
    return new Promise((resolve, reject) => {
      connection.on('message', (message) => {
        if (this.#connection !== connection) return;
        if (message.type === 'state-update' && message.payload.full === true && !this.#ready) {
          this.#ready = true;
          this.#onStateUpdate(message.payload);
          this.#resend(message.payload.self?.resumed === true);
          resolve(message.payload);
        } else {
          this.#onMessage(message);
        }
      });
      connection.on('close', ({ code, reason }) => {
        if (this.#connection !== connection) return;
        const wasReady = this.#ready;
        this.#connection = undefined;
        this.#ready = false;
        reject(
          this.#lastError ??
            new MeetError('server-unreachable', `The server closed the connection (${reason || code}).`),
        );
        if (wasReady) this.#onDropped(code, reason);
      });
      connection.start();
    });
  }

  #resend(resumed: boolean): void {
    if (!resumed) {
      // The server knows nothing of the requests; whoever made them starts over from the full state.
      this.#failPending(new MeetError('connection-failed', 'The server no longer has this session.'));
      return;
    }
    for (const { message } of this.#pending.values()) this.#connection?.send(message);
  }

  #onMessage(message: ServerMessage): void {
    switch (message.type) {
      case 'ok':
      case 'answer':
        this.#take(message.id)?.resolve(message);
        break;
      case 'error': {
        const { code, message: text, hint, retryAfter } = message.payload;
        const error = new MeetError(isErrorCode(code) ? code : 'internal', text, {
          ...(hint === undefined ? {} : { hint }),
          ...(retryAfter === undefined ? {} : { retryAfter }),
        });
        if (message.id === undefined) this.#lastError = error;
        else this.#take(message.id)?.reject(error);
        break;
      }
      case 'offer': {
        const { id, payload } = message;
        const connection = this.#connection;
        this.emit('offer', payload, (sdp) => connection?.send({ type: 'answer', id, payload: { sdp } }));
        break;
      }
      case 'state-update':
        this.#onStateUpdate(message.payload);
        break;
      case 'chat':
        this.emit('chat', message.payload.messages);
        break;
      case 'reaction':
        this.emit('reaction', message.payload);
        break;
      case 'unmute-request':
        this.emit('unmute-request', message.payload);
        break;
      case 'share-stopped':
        this.emit('share-stopped', message.payload);
        break;
      case 'bye':
        this.#bye = message.payload;
        break;
    }
  }

  #take(id: number | undefined): PendingRequest | undefined {
    if (id === undefined) return undefined;
    const request = this.#pending.get(id);
    this.#pending.delete(id);
    return request;
  }

  #onStateUpdate(update: StateUpdate): void {
    if (update.token) this.#token = update.token.token;
    this.emit('state-update', update);
  }

  #onDropped(code: number, reason: string): void {
    if (this.#ended) return;
    const end = this.#endOf(code, reason);
    if (end) {
      this.#finish(end);
      return;
    }
    void this.#reconnect(this.#bye?.message ?? (reason || 'the signaling connection was lost'));
  }

  /** What ends the meeting for this participant; `undefined` for what another connection can mend. */
  #endOf(code: number, reason: string): SignalingEnd | undefined {
    const final: readonly number[] = [
      CLOSE.left,
      CLOSE.badMessage,
      CLOSE.unauthorized,
      CLOSE.removed,
      CLOSE.meetingNotFound,
      CLOSE.replaced,
      CLOSE.meetingEnded,
    ];
    if (!final.includes(code)) return undefined;
    const error =
      this.#lastError ??
      new MeetError(
        code === CLOSE.removed
          ? 'removed'
          : code === CLOSE.meetingEnded
            ? 'meeting-ended'
            : 'server-unreachable',
        this.#bye?.message ?? `The server closed the connection (${reason || code}).`,
      );
    return { code, error, ...(this.#bye ? { bye: this.#bye.reason } : {}) };
  }

  #finish(end: SignalingEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failPending(end.error);
    this.emit('end', end);
  }

  async #reconnect(reason: string): Promise<void> {
    const deadline = performance.now() + this.#options.reconnectTimeoutMs;
    let error = new MeetError('server-unreachable', `The connection was lost: ${reason}.`);
    for (let attempt = 0; performance.now() < deadline; attempt++) {
      this.emit('down', { reason, attempt: attempt + 1 });
      try {
        await delay(backoffMs(attempt), undefined, { signal: this.#closing.signal });
        const connection = await SignalingConnection.open(this.#url(), this.#token, this.#closing.signal);
        const full = await this.#adopt(connection);
        this.emit('up', { resumed: full.self?.resumed === true });
        return;
      } catch (cause) {
        if (this.#ended) return;
        error = MeetError.from(cause);
        // Refused, not unreachable: another try would be refused as well.
        if (error.fault === 'caller' && error.code !== 'rate-limited') {
          this.#finish({ code: CLOSE.unauthorized, error });
          return;
        }
      }
    }
    this.#finish({ code: 1006, error });
  }
}

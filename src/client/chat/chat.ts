/** A participant's side of the chat: sends each message once, hands out each that comes once and in order. */
import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type ChatMessage,
  MAX_CONTENT_BYTES,
  type MessagesQuery,
  type MessagesReply,
  type NewChatMessage,
} from '../../protocol/chat.ts';
import { type ErrorCode, MeetError } from '../../protocol/errors.ts';
import type { SignalingClient } from '../signaling/client.ts';

export interface SendOptions {
  /** Id of the participant who alone gets it, besides the sender; everyone when absent. */
  readonly to?: string;
  /** Id of the message that it answers. */
  readonly replyTo?: string;
  /** Id of an uploaded file. */
  readonly fileId?: string;
  /** Names the message so that sending it again, also in another process, does not double it; a new UUID when absent. */
  readonly clientId?: string;
}

interface ChatEvents {
  message: [message: ChatMessage];
}

interface Outgoing {
  readonly message: NewChatMessage;
  readonly resolve: (message: ChatMessage) => void;
  readonly reject: (error: MeetError) => void;
}

/** The server lost the session, or is not ready yet: the same message is sent again under the same name. */
const AGAIN: readonly ErrorCode[] = ['connection-failed', 'server-stopping', 'rate-limited'];
/** Wait before another try where the server does not say how long, milliseconds. */
const DEFAULT_RETRY_MS = 250;

export class Chat extends EventEmitter<ChatEvents> {
  readonly #signaling: SignalingClient;
  readonly #outbox: Outgoing[] = [];
  readonly #closing = new AbortController();
  #sending = false;
  #last: number | undefined;

  constructor(signaling: SignalingClient) {
    super();
    this.#signaling = signaling;
    signaling.on('chat', (messages) => this.#take(messages));
    signaling.on('state-update', ({ chat }) => {
      // Once it has begun, what is missing is asked for by the number of the last one that came.
      if (chat !== undefined) this.#last ??= chat.last;
    });
  }

  /** Number of the last message of the meeting that this participant knows of; `undefined` until it is let in. */
  get last(): number | undefined {
    return this.#last;
  }

  /** How many messages are on their way out. */
  get unsent(): number {
    return this.#outbox.length;
  }

  /**
   * Sends a message after those before it. Resolves when the server has stored it, across lost connections and restarts
   * of the server, and waits where messages come faster than the server takes them.
   *
   * @throws MeetError `too-large`, `bad-request`, `not-found` for an unknown recipient, message or file, `forbidden`;
   *   `server-unreachable` when the meeting is over before
   */
  send(content: string, options: SendOptions = {}): Promise<ChatMessage> {
    const { to, replyTo, fileId, clientId = randomUUID() } = options;
    if (Buffer.byteLength(content) > MAX_CONTENT_BYTES) {
      return Promise.reject(
        new MeetError('too-large', `A message can have ${MAX_CONTENT_BYTES / 1024} KiB of text.`, {
          hint: 'Send it in parts, or as a file.',
        }),
      );
    }
    const message: NewChatMessage = {
      content,
      clientId,
      ...(to === undefined ? {} : { recipientId: to }),
      ...(replyTo === undefined ? {} : { replyTo }),
      ...(fileId === undefined ? {} : { fileId }),
    };
    return new Promise((resolve, reject) => {
      this.#outbox.push({ message, resolve, reject });
      void this.#empty();
    });
  }

  /** Messages of before, at most 200 a page: the last ones, or those before or after a number. */
  async history(query: MessagesQuery = {}): Promise<MessagesReply> {
    const { payload } = await this.#signaling.request('messages', query);
    if ('page' in payload && payload.page !== undefined) return payload.page;
    throw new MeetError('internal', 'The server answered without messages.');
  }

  /** @internal Part of leaving the meeting. */
  close(): void {
    this.#closing.abort();
  }

  #take(messages: readonly ChatMessage[]): void {
    for (const message of messages) {
      if (message.sequence <= (this.#last ?? 0)) continue;
      this.#last = message.sequence;
      this.emit('message', message);
    }
  }

  /** One after the other, so that they keep their order whatever becomes of one of them. */
  async #empty(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (;;) {
      const [first] = this.#outbox;
      if (first === undefined) break;
      try {
        const { payload } = await this.#signaling.request('message', first.message);
        if (!('message' in payload) || payload.message === undefined) {
          throw new MeetError('internal', 'The server answered without the message.');
        }
        first.resolve(payload.message);
      } catch (cause) {
        const error = MeetError.from(cause);
        if (!this.#closing.signal.aborted && AGAIN.includes(error.code)) {
          const waitMs = error.retryAfter === undefined ? DEFAULT_RETRY_MS : error.retryAfter * 1_000;
          await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => {});
          continue;
        }
        first.reject(error);
      }
      this.#outbox.shift();
    }
    this.#sending = false;
  }
}

/** What of the chat a participant's connection has had: first what it missed, then what is new, each once and in order. */
import type { ChatMessage } from '../../protocol/chat.ts';
import { isFor } from './wire.ts';

/** Messages at once while catching up: of the longest ones they stay below what a slow connection may lag behind. */
const PAGE = 20;

export interface DeliveryOptions {
  readonly participantId: string;
  /** Number of the last message that was given out to the connections of the meeting. */
  readonly delivered: () => number;
  /** Messages for this participant after a number, in order. */
  readonly page: (after: number, limit: number) => Promise<ChatMessage[]>;
}

/** Sends a serialised message; resolves when it has left. */
export type SendText = (text: string) => Promise<void>;

/** New messages, serialised for all who may see all of them or all that are for everyone. */
export class ChatBatch {
  readonly messages: readonly ChatMessage[];
  readonly last: number;
  readonly #texts = new Map<string, string>();
  readonly #insiders: ReadonlySet<string>;

  constructor(messages: readonly ChatMessage[]) {
    this.messages = messages;
    this.last = messages.at(-1)?.sequence ?? 0;
    const secret = messages.filter(({ recipientId }) => recipientId !== null);
    this.#insiders = new Set(secret.flatMap(({ senderId, recipientId }) => [senderId, recipientId ?? '']));
  }

  /** What this participant gets of it; `undefined` when that is nothing. */
  textFor(participantId: string): string | undefined {
    // All who have no part in a private message get the same.
    const key = this.#insiders.has(participantId) ? participantId : '';
    let text = this.#texts.get(key);
    if (text === undefined) {
      text = chatText(this.messages.filter((message) => isFor(participantId, message)));
      this.#texts.set(key, text);
    }
    return text === '' ? undefined : text;
  }
}

export class ChatDelivery {
  readonly #options: DeliveryOptions;
  /** Number up to which the connection has had everything; `undefined` without one that is up to date. */
  #cursor: number | undefined;
  #run = 0;
  #send: SendText | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** A connection begins. With `after` it gets what came after that number first, else only what is new from now on. */
  async begin(send: SendText, after: number | undefined): Promise<void> {
    const run = this.#begin(send);
    const { delivered, page } = this.#options;
    let cursor = Math.min(after ?? delivered(), delivered());
    while (cursor < delivered()) {
      const upTo = delivered();
      const messages = await page(cursor, PAGE);
      if (run !== this.#run) return;
      // Beyond the last page there is nothing for this participant up to what was given out when it was asked for.
      const whole = messages.length < PAGE;
      cursor = Math.max(messages.at(-1)?.sequence ?? 0, whole ? upTo : cursor);
      if (messages.length > 0) await send(chatText(messages));
      if (run !== this.#run) return;
    }
    this.#cursor = cursor;
  }

  /** The connection is gone. */
  stop(): void {
    this.#run += 1;
    this.#cursor = undefined;
    this.#send = undefined;
  }

  /** Sends what is new of it; who is still catching up comes to it by itself. */
  deliver(batch: ChatBatch): void {
    if (this.#cursor === undefined || batch.last <= this.#cursor) return;
    const [first] = batch.messages;
    const { participantId } = this.#options;
    const text =
      first !== undefined && first.sequence > this.#cursor
        ? batch.textFor(participantId)
        : chatText(batch.messages.filter((one) => one.sequence > this.#cursor! && isFor(participantId, one)));
    this.#cursor = batch.last;
    if (text) void this.#send?.(text);
  }

  #begin(send: SendText): number {
    this.stop();
    this.#send = send;
    return this.#run;
  }
}

function chatText(messages: readonly ChatMessage[]): string {
  return messages.length === 0 ? '' : JSON.stringify({ type: 'chat', payload: { messages } });
}

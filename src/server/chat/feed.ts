/** The messages of a meeting as they are stored, whichever server stored them: each once and in order. */
import { EventEmitter } from 'node:events';
import type { ChatMessage } from '../../protocol/chat.ts';
import type { ServerLogger } from '../config.ts';
import type { Store } from '../store/index.ts';
import { chatMessage } from './wire.ts';

export interface FeedEvents {
  /** They follow the last ones without a gap. */
  messages: [messages: readonly ChatMessage[]];
}

const PAGE = 200;

export class ChatFeed extends EventEmitter<FeedEvents> {
  readonly #store: Store;
  readonly #meetingId: string;
  readonly #logger: ServerLogger;
  #delivered: number;
  #filling = false;
  /** There may be more than the last page had. */
  #again = false;
  #closed = false;

  private constructor(meetingId: string, last: number, options: { store: Store; logger: ServerLogger }) {
    super();
    this.#meetingId = meetingId;
    this.#delivered = last;
    this.#store = options.store;
    this.#logger = options.logger;
  }

  /** Begins after what is stored already. Must be told of new messages from then on. */
  static async open(meetingId: string, options: { store: Store; logger: ServerLogger }): Promise<ChatFeed> {
    return new ChatFeed(meetingId, await options.store.messages.last(meetingId), options);
  }

  /** Number of the last message that was given out. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Takes messages that have been stored, in order. */
  take(messages: readonly ChatMessage[]): void {
    if (this.#closed) return;
    const fresh = messages.filter(({ sequence }) => sequence > this.#delivered);
    const [first] = fresh;
    if (first === undefined) return;
    // Another server's messages are on their way still: the store has them already.
    if (first.sequence > this.#delivered + 1 || this.#filling) void this.#fill();
    else this.#give(fresh);
  }

  close(): void {
    this.#closed = true;
  }

  #give(messages: readonly ChatMessage[]): void {
    this.#delivered = messages.at(-1)?.sequence ?? this.#delivered;
    this.emit('messages', messages);
  }

  /** Gives out what is stored, until there is nothing more; told of more meanwhile, it looks again. */
  async #fill(): Promise<void> {
    this.#again = true;
    if (this.#filling) return;
    this.#filling = true;
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        const options = { after: this.#delivered, limit: PAGE };
        const stored = await this.#store.messages.page(this.#meetingId, options);
        if (stored.length === PAGE) this.#again = true;
        if (stored.length > 0 && !this.#closed) this.#give(stored.map(chatMessage));
      }
    } catch (error) {
      this.#logger.error({ err: error }, 'Chat messages could not be read; the next one makes another try');
    } finally {
      this.#filling = false;
    }
  }
}

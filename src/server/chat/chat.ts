/** The chat of all meetings: what may be sent, and who sees what. */
import type { ChatMessage, MessagesQuery, MessagesReply, NewChatMessage } from '../../protocol/chat.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { ChatRate } from '../config.ts';
import { TokenBuckets } from '../signaling/rate.ts';
import type { Store } from '../store/index.ts';
import type { ChatLog } from './chat-log.ts';
import { chatMessage, checkContent } from './wire.ts';

const DEFAULT_LIMIT = 100;

export interface ChatOptions {
  readonly store: Store;
  readonly log: ChatLog;
  /** What a participant may send; `false` is without limit. */
  readonly rate: ChatRate | false;
}

export class Chat {
  readonly #options: ChatOptions;
  readonly #rates: TokenBuckets | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.#rates = options.rate === false ? undefined : new TokenBuckets(options.rate);
  }

  /**
   * Takes a message of a participant who is in the meeting.
   *
   * @throws MeetError `too-large`, `bad-request`, `rate-limited`, and as `Messages.append`
   */
  async send(meetingId: string, senderId: string, message: NewChatMessage): Promise<ChatMessage> {
    checkContent(message.content, message.fileId !== undefined);
    this.takeTurn(senderId);
    return chatMessage(await this.#options.log.append({ meetingId, senderId, ...message }));
  }

  /** Counts something that a participant shows everyone. @throws MeetError `rate-limited` */
  takeTurn(senderId: string): void {
    const { rate } = this.#options;
    if (rate === false || this.#rates?.take(senderId) !== false) return;
    throw new MeetError('rate-limited', 'You send messages too fast.', { retryAfter: 1 / rate.perSecond });
  }

  /** `viewer` is the participant who asks; `null` sees what is for everyone. */
  async page(meetingId: string, viewer: string | null, query: MessagesQuery): Promise<MessagesReply> {
    const { after, limit = DEFAULT_LIMIT } = query;
    const before = query.before ?? (after === undefined ? Number.MAX_SAFE_INTEGER : undefined);
    // One more than asked for tells whether there are others.
    const messages = await this.#options.store.messages.page(meetingId, {
      ...(after === undefined ? {} : { after }),
      ...(before === undefined ? {} : { before }),
      limit: limit + 1,
      visibleTo: viewer,
    });
    const more = messages.length > limit;
    const backwards = after === undefined;
    const page = backwards ? messages.slice(more ? 1 : 0) : messages.slice(0, limit);
    return { messages: page.map(chatMessage), more };
  }
}

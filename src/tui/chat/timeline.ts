/** What was said and what happened, in the order in which it is shown. */
import type { ChatMessage } from '../../protocol/chat.ts';

/** How a notice is to be taken. */
export type Tone = 'info' | 'good' | 'warning' | 'bad';

export interface Notice {
  readonly kind: 'notice';
  readonly key: string;
  readonly at: number;
  readonly tone: Tone;
  /** Lines of ours; what is another's in them is harmless already. */
  readonly lines: readonly string[];
}

export interface Said {
  readonly kind: 'message';
  readonly key: string;
  readonly at: number;
  readonly message: ChatMessage;
}

export type Entry = Said | Notice;

/** Kept for scrolling back; what is older is asked for again. */
const MAX_ENTRIES = 5_000;

/** Messages each once and by their number, and notices between those among which they came. */
export class Timeline {
  #entries: Entry[] = [];
  readonly #messages = new Map<string, ChatMessage>();
  #notices = 0;
  #version = 0;

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** Grows with each change. */
  get version(): number {
    return this.#version;
  }

  /** The number of the first message that is known; `undefined` while none is. */
  get first(): number | undefined {
    return this.#entries.find((entry) => entry.kind === 'message')?.message.sequence;
  }

  /** Takes new messages, or such from before we came; gives those that were not known. */
  add(messages: readonly ChatMessage[], { older = false } = {}): ChatMessage[] {
    const fresh = messages.filter(({ id }) => !this.#messages.has(id));
    for (const message of fresh) {
      this.#messages.set(message.id, message);
      this.#insert({ kind: 'message', key: message.id, at: message.createdAt, message }, older);
    }
    if (fresh.length > 0) this.#version += 1;
    this.#trim();
    return fresh;
  }

  notice(lines: string | readonly string[], tone: Tone = 'info', at = Date.now()): void {
    this.#notices += 1;
    this.#version += 1;
    const list = typeof lines === 'string' ? [lines] : lines;
    this.#entries.push({ kind: 'notice', key: `notice-${this.#notices}`, at, tone, lines: list });
    this.#trim();
  }

  message(id: string): ChatMessage | undefined {
    return this.#messages.get(id);
  }

  /** By the number that is shown. */
  numbered(sequence: number): ChatMessage | undefined {
    return this.lastMessage((message) => message.sequence === sequence);
  }

  /** The last message that fits. */
  lastMessage(fits: (message: ChatMessage) => boolean): ChatMessage | undefined {
    const found = this.#entries.findLast((entry) => entry.kind === 'message' && fits(entry.message));
    return found?.kind === 'message' ? found.message : undefined;
  }

  #insert(said: Said, older: boolean): void {
    const { sequence } = said.message;
    const last = this.#entries.findLastIndex(({ kind }) => kind === 'message');
    const newest = last === -1 ? 0 : (this.#entries[last] as Said).message.sequence;
    if (newest < sequence) {
      // What was said before goes before the notices of our own coming, what is new after them.
      this.#entries.splice(older ? last + 1 : this.#entries.length, 0, said);
      return;
    }
    const next = this.#entries.findIndex(
      (entry) => entry.kind === 'message' && entry.message.sequence > sequence,
    );
    this.#entries.splice(next, 0, said);
  }

  #trim(): void {
    if (this.#entries.length <= MAX_ENTRIES) return;
    const gone = this.#entries.splice(0, this.#entries.length - MAX_ENTRIES);
    for (const entry of gone) if (entry.kind === 'message') this.#messages.delete(entry.message.id);
  }
}

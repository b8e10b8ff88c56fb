import { createInterface, type Interface } from 'node:readline';
import { harmless, harmlessLines } from '../client/chat/text.ts';
import type { ChatMessage } from '../protocol/chat.ts';
import { clockTime, size } from './chat/format.ts';
import type { ChatSession } from './chat/session.ts';
import { mentions } from './layout/messages.ts';

/** Takes what happens, a line or an object at a time. */
export interface PlainOutput {
  message(message: ChatMessage, lines: readonly string[]): void;
  notice(lines: readonly string[]): void;
}

export interface PlainChatOptions {
  readonly session: ChatSession;
  readonly stdin: NodeJS.ReadableStream;
  readonly output: PlainOutput;
}

/** Further lines of a message: nobody can make one look like another's. */
const CONTINUED = '      | ';

/** A meeting in lines: for screen readers, pipes and files. Each line that is entered is a message or a command. */
export class PlainChat {
  /** The input has ended, or the user leaves; what was entered before has been done. */
  readonly left: Promise<void>;
  readonly #session: ChatSession;
  readonly #output: PlainOutput;
  readonly #input: Interface;
  #closed = false;

  constructor({ session, stdin, output }: PlainChatOptions) {
    this.#session = session;
    this.#output = output;
    for (const entry of session.timeline.entries) {
      if (entry.kind === 'notice') output.notice([`${clockTime(entry.at)} - ${entry.lines.join('\n')}`]);
    }
    session.on('history', (messages) => {
      for (const message of messages) this.#say(message);
    });
    session.on('message', (message) => this.#say(message));
    session.on('notice', (lines) => {
      if (!this.#closed)
        output.notice(
          lines.map((line, index) => `${index === 0 ? `${clockTime(Date.now())} - ` : '  '}${line}`),
        );
    });
    // The terminal's own line editing is what screen readers know.
    this.#input = createInterface({ input: stdin, terminal: false });
    const quit = new Promise<void>((resolve) => session.once('quit', resolve));
    this.left = Promise.race([quit, this.#read()]);
  }

  close(): void {
    this.#closed = true;
    this.#input.close();
  }

  /** One line after the other: they keep their order, and the last one is done before the end. */
  async #read(): Promise<void> {
    for await (const line of this.#input) {
      // Nothing can be said before one is let in.
      if (!line.startsWith('/')) await this.#admitted();
      if (this.#closed) return;
      await this.#session.run(line);
    }
  }

  async #admitted(): Promise<void> {
    const { client } = this.#session;
    if (!client.waiting) return;
    await new Promise<void>((resolve) => {
      client.on('participant', () => {
        if (!client.waiting) resolve();
      });
      client.once('left', () => resolve());
    });
  }

  #say(message: ChatMessage): void {
    if (!this.#closed) this.#output.message(message, plainLines(message, this.#session));
  }
}

/** A message in words that can be read aloud. */
export function plainLines(
  message: ChatMessage,
  { client, selfLabel, timeline }: Pick<ChatSession, 'client' | 'selfLabel' | 'timeline'>,
): string[] {
  const own = message.senderId === client.self.id;
  const to =
    message.recipientId === null
      ? ''
      : ` privately to ${message.recipientId === client.self.id ? 'you' : harmless(message.recipientName ?? '?')}`;
  const original = message.replyTo === null ? undefined : timeline.message(message.replyTo);
  const answering = original === undefined ? '' : `, answering ${harmless(original.senderName)}`;
  const mentioning = !own && mentions(message.content, selfLabel) ? ', mentioning you' : '';
  const [first = '', ...rest] = harmlessLines(message.content);
  const who = `${own ? 'you' : harmless(message.senderName)}${to}${answering}${mentioning}`;
  const { file } = message;
  const about =
    file && `${CONTINUED}file ${harmless(file.name)}, ${size(file.size)}: /save #${message.sequence}`;
  return [
    `${clockTime(message.createdAt)} ${who}: ${first}`.trimEnd(),
    ...rest.map((line) => `${CONTINUED}${line}`),
    ...(about ? [about] : []),
  ];
}

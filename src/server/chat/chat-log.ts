/** Stores messages, those of one turn of the event loop in one transaction, and tells of them once they are stored. */
import { MeetError } from '../../protocol/errors.ts';
import type { FullMessage, NewMessage, Store } from '../store/index.ts';

/** One transaction holds the database's lock for all of them, some milliseconds. */
const MAX_BATCH = 1_000;

interface Waiting {
  readonly message: NewMessage;
  readonly resolve: (message: FullMessage) => void;
  readonly reject: (error: unknown) => void;
}

export interface ChatLogOptions {
  readonly store: Store;
  /** Messages of a meeting that have just been stored, in the order of their numbers. */
  readonly onStored: (meetingId: string, messages: readonly FullMessage[]) => void;
}

export class ChatLog {
  readonly #options: ChatLogOptions;
  readonly #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(options: ChatLogOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the message is stored and on its way to everyone. One that was sent before is not stored again.
   *
   * @throws MeetError as `Messages.append`
   */
  append(message: NewMessage): Promise<FullMessage> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when all that was appended so far is stored or refused. */
  async flush(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Everything that comes in this turn goes along; while one transaction commits the next one gathers.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      await this.#store(this.#waiting.splice(0, MAX_BATCH));
      // With a database in this process the commit takes no turn: what has arrived meanwhile is read first.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#running = undefined;
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    let results: (FullMessage | MeetError)[];
    try {
      results = await this.#options.store.messages.appendAll(batch.map(({ message }) => message));
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    this.#tell(results);
    for (const [index, { resolve, reject }] of batch.entries()) {
      const result = results[index];
      if (result === undefined || result instanceof MeetError) reject(result);
      else resolve(result);
    }
  }

  /** A message that was sent before is among the results again and does no harm: who has it skips its number. */
  #tell(results: readonly (FullMessage | MeetError)[]): void {
    const stored = results.flatMap((result) => (result instanceof MeetError ? [] : [result]));
    for (const [meetingId, messages] of Map.groupBy(stored, (message) => message.meetingId)) {
      const inOrder = [...new Set(messages)].sort((a, b) => a.sequence - b.sequence);
      this.#options.onStored(meetingId, inOrder);
    }
  }
}

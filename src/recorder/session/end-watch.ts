/** When a recording is over. */
import type { MeetingClient } from '../../client/meeting.ts';
import { MeetError } from '../../protocol/errors.ts';
import { peopleOf } from './people.ts';

/** Why a recording is over. */
export interface Ending {
  /** `stopped`, `duration`, `empty`, `nobody-came`, or why the meeting was left: `ended`, `removed`, … */
  readonly reason: string;
  /** What went wrong, where something did. */
  readonly error?: MeetError;
}

interface EndWatchOptions {
  readonly client: MeetingClient;
  readonly durationMs?: number | undefined;
  readonly untilEmptyMs?: number | undefined;
  readonly waitUntilMs?: number | undefined;
  readonly startedAt: () => number | undefined;
  readonly now: () => number;
}

/** Ends once, for the first reason there is. */
export class EndWatch {
  readonly #options: EndWatchOptions;
  readonly #ended = Promise.withResolvers<Ending>();
  #over = false;
  #duration: NodeJS.Timeout | undefined;
  #empty: NodeJS.Timeout | undefined;
  #wait: NodeJS.Timeout | undefined;

  constructor(options: EndWatchOptions) {
    this.#options = options;
    const { client, waitUntilMs } = options;
    client.once('left', ({ reason, error }) =>
      this.end({ reason, ...(error === undefined ? {} : { error }) }),
    );
    client.on('participant', () => this.look());
    if (waitUntilMs !== undefined) {
      this.#wait = setTimeout(
        () => {
          const error = new MeetError('nobody-came', 'Nobody came in the time to wait for them.');
          if (options.startedAt() === undefined) this.end({ reason: 'nobody-came', error });
        },
        Math.max(0, waitUntilMs - performance.now()),
      );
    }
  }

  get ended(): Promise<Ending> {
    return this.#ended.promise;
  }

  end(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    for (const timer of [this.#duration, this.#empty, this.#wait]) clearTimeout(timer);
    this.#ended.resolve(ending);
  }

  /** Starts and stops the clocks by what is true now. */
  look(): void {
    const { client, durationMs, untilEmptyMs, startedAt, now } = this.#options;
    const began = startedAt();
    if (this.#over || began === undefined) return;
    clearTimeout(this.#wait);
    if (durationMs !== undefined) {
      const left = Math.max(0, began + durationMs - now());
      this.#duration ??= setTimeout(() => this.end({ reason: 'duration' }), left);
    }
    if (untilEmptyMs === undefined) return;
    if (peopleOf(client).length > 0) {
      clearTimeout(this.#empty);
      this.#empty = undefined;
    } else this.#empty ??= setTimeout(() => this.end({ reason: 'empty' }), untilEmptyMs);
  }
}

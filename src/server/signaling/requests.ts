/** Runs a participant's requests, those of one kind one after the other, and remembers replies for those sent twice. */
import { hash } from 'node:crypto';
import type { ServerMessage } from '../../protocol/signaling.ts';

/** A client has a handful of requests open; after a drop it repeats those. */
const REMEMBERED_REPLIES = 64;
/** More than a client that waits for replies ever has; each may hold an SDP. */
const MAX_WAITING = 64;

interface Remembered {
  readonly digest: string;
  /** `undefined` while it runs. */
  reply: string | undefined;
}

/** Requests of one lane wait for each other; those without a lane for nothing. */
export type Lane = 'media' | 'host';

export class RequestQueue {
  readonly #known = new Map<number, Remembered>();
  readonly #onReply: (text: string) => void;
  readonly #tails = new Map<Lane, Promise<void>>();
  #waiting = 0;

  /** `onReply` gets each reply, serialised, when its request is done. */
  constructor(onReply: (text: string) => void) {
    this.#onReply = onReply;
  }

  /**
   * Looks a request up: an equal one of the same id that runs or has run is not run again.
   * A different one of the same id is a new request, since its client may have started over.
   */
  lookUp(id: number, text: string): 'running' | { readonly reply: string } | undefined {
    const known = this.#known.get(id);
    if (known === undefined || known.digest !== hash('sha256', text)) return undefined;
    return known.reply === undefined ? 'running' : { reply: known.reply };
  }

  /** Runs the request after those before it in its lane; `run` must not reject. `false` when too many wait already. */
  submit(id: number, text: string, lane: Lane | undefined, run: () => Promise<ServerMessage>): boolean {
    if (this.#waiting >= MAX_WAITING) return false;
    const entry: Remembered = { digest: hash('sha256', text), reply: undefined };
    this.#remember(id, entry);
    this.#waiting += 1;
    const before = (lane && this.#tails.get(lane)) ?? Promise.resolve();
    const done = before.then(async () => {
      const reply = JSON.stringify(await run());
      this.#waiting -= 1;
      entry.reply = reply;
      this.#onReply(reply);
    });
    if (lane !== undefined) this.#tails.set(lane, done);
    return true;
  }

  #remember(id: number, entry: Remembered): void {
    this.#known.delete(id);
    this.#known.set(id, entry);
    for (const [oldest, { reply }] of this.#known) {
      if (this.#known.size <= REMEMBERED_REPLIES) break;
      if (reply !== undefined) this.#known.delete(oldest);
    }
  }
}

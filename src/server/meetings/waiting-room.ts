/** Who waits to be let into a meeting, in the order they came; kept where all servers see it. */
import type { LiveState } from '../cluster/index.ts';
import type { ServerLogger } from '../config.ts';

export interface Guest {
  readonly id: string;
  readonly name: string;
}

const keyOf = (meetingId: string) => `waiting:${meetingId}`;

export class WaitingRoom {
  readonly #live: LiveState;
  readonly #logger: ServerLogger;

  constructor(options: { live: LiveState; logger: ServerLogger }) {
    this.#live = options.live;
    this.#logger = options.logger;
  }

  /** Takes a place at the end; who has one keeps it. */
  async enter(meetingId: string, { id, name }: Guest): Promise<void> {
    await this.#live.queues.push(keyOf(meetingId), id, { name });
  }

  /** Gives up the place, if there is one. */
  leave(meetingId: string, id: string): void {
    this.#live.queues.remove(keyOf(meetingId), id).catch((error: unknown) => {
      this.#logger.error({ err: error, meetingId }, 'A place in the waiting room was not given up');
    });
  }

  /** Takes one out, for one caller only; `undefined` for who does not wait. */
  async take(meetingId: string, id: string): Promise<Guest | undefined> {
    const entry = await this.#live.queues.remove(keyOf(meetingId), id);
    return entry && guestOf(entry.id, entry.value);
  }

  /** Takes all out. */
  async takeAll(meetingId: string): Promise<Guest[]> {
    const waiting = await this.#live.queues.list(keyOf(meetingId));
    const taken = await Promise.all(waiting.map(({ id }) => this.take(meetingId, id)));
    return taken.filter((guest) => guest !== undefined);
  }

  /** `undefined` for who does not wait. */
  async find(meetingId: string, id: string): Promise<Guest | undefined> {
    const entry = (await this.#live.queues.list(keyOf(meetingId))).find((one) => one.id === id);
    return entry && guestOf(entry.id, entry.value);
  }
}

function guestOf(id: string, value: unknown): Guest {
  const name = typeof value === 'object' && value !== null && 'name' in value ? String(value.name) : '';
  return { id, name };
}

/** Who shares a screen in a meeting: one at a time unless its hosts allow more. */
import { MeetError } from '../../protocol/errors.ts';

/** A share that was let in and has not come after so long has failed, milliseconds. */
const CLAIM_MS = 15_000;

export interface Sharer {
  readonly name: string;
  /** Its screen is in the meeting now. */
  readonly shares: boolean;
}

export class ScreenFloor {
  readonly #several: () => boolean;
  readonly #sharer: (participantId: string) => Sharer | undefined;
  /** When each who was let in asked, milliseconds on the process's clock. */
  readonly #claims = new Map<string, number>();

  /** @param sharer whoever is in the meeting and has not left */
  constructor(several: () => boolean, sharer: (participantId: string) => Sharer | undefined) {
    this.#several = several;
    this.#sharer = sharer;
  }

  /** Takes the floor for a participant; gives why not where another has it. */
  claim(participantId: string): MeetError | undefined {
    const now = performance.now();
    for (const [id, claimedAt] of this.#claims) {
      const sharer = this.#sharer(id);
      if (!sharer || (!sharer.shares && now - claimedAt > CLAIM_MS)) this.#claims.delete(id);
      else if (id !== participantId && !this.#several()) return taken(sharer.name);
    }
    this.#claims.set(participantId, now);
    return undefined;
  }

  /** The participant shares no more. */
  release(participantId: string): void {
    this.#claims.delete(participantId);
  }
}

const taken = (name: string) =>
  new MeetError('share-taken', `${name} is sharing a screen, and one may at a time.`, {
    hint: 'Wait for its end, or ask a host to allow several (several-screens on).',
  });

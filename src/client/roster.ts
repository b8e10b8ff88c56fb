import type { ParticipantInfo } from '../protocol/model.ts';
import type { StateUpdate } from '../protocol/signaling.ts';

/** Who is in the meeting, kept in step with the server's state-updates. */
export class Roster {
  readonly #participants = new Map<string, ParticipantInfo>();

  get participants(): ReadonlyMap<string, ParticipantInfo> {
    return this.#participants;
  }

  /** Ids of everything that is published. */
  trackIds(): Set<string> {
    return new Set([...this.#participants.values()].flatMap(({ tracks }) => tracks.map(({ id }) => id)));
  }

  /** Applies an update; returns the participants that came, changed or went (`state: 'left'`). */
  apply(update: StateUpdate): ParticipantInfo[] {
    const changed: ParticipantInfo[] = [];
    const present = update.participants ?? [];
    for (const participant of present) {
      const known = this.#participants.get(participant.id);
      this.#participants.set(participant.id, participant);
      if (known === undefined || JSON.stringify(known) !== JSON.stringify(participant))
        changed.push(participant);
    }
    const gone = new Set((update.left ?? []).map(({ id }) => id));
    if (update.full === true) {
      // Whoever left while the connection was down is not mentioned, only missing.
      const here = new Set(present.map(({ id }) => id));
      for (const id of this.#participants.keys()) if (!here.has(id)) gone.add(id);
    }
    for (const id of gone) {
      const known = this.#participants.get(id);
      if (known === undefined) continue;
      this.#participants.delete(id);
      changed.push({ ...known, state: 'left', tracks: [] });
    }
    return changed;
  }
}

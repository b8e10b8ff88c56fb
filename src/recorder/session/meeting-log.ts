/** Notes what happens in the meeting. */
import type { MeetingClient } from '../../client/meeting.ts';
import type { ParticipantInfo } from '../../protocol/model.ts';
import type { RecordingEvent } from '../types.ts';
import { isPerson, liveTrack } from './people.ts';

interface Deps {
  readonly client: MeetingClient;
  readonly append: (event: RecordingEvent) => void;
  readonly now: () => number;
}

/** From now on every arrival, change, departure, share and speaker is an event. */
export class MeetingLog {
  readonly #deps: Deps;
  /** What was last noted of each, so that a change which says nothing new is none. */
  readonly #noted = new Map<string, string>();
  readonly #sharing = new Set<string>();
  #disconnectedAt: number | undefined;

  constructor(deps: Deps) {
    this.#deps = deps;
    const { client, append, now } = deps;
    for (const participant of client.participants.values()) this.#onParticipant(participant);
    client.on('participant', (participant) => this.#onParticipant(participant));
    client.on('speakers', (ids) => append({ type: 'speakers', at: now(), participantIds: [...ids] }));
    client.on('reconnecting', () => {
      this.#disconnectedAt ??= now();
    });
    client.on('reconnected', () => {
      if (this.#disconnectedAt !== undefined)
        append({ type: 'gap', at: now(), sinceMs: this.#disconnectedAt });
      this.#disconnectedAt = undefined;
    });
  }

  #onParticipant(participant: ParticipantInfo): void {
    const { client, append, now } = this.#deps;
    if (!isPerson(client, participant)) return;
    const { id, name, role, state, tracks } = participant;
    const muted = tracks.filter((track) => track.muted).map(({ source }) => source);
    const noted = JSON.stringify([name, role, state, muted]);
    if (this.#noted.get(id) !== noted) {
      append({ type: 'participant', at: now(), id, name, role, state, muted });
      if (state === 'left') this.#noted.delete(id);
      else this.#noted.set(id, noted);
    }
    const on = liveTrack(participant, 'screen') !== undefined;
    if (on === this.#sharing.has(id)) return;
    append({ type: 'share', at: now(), participantId: id, on });
    if (on) this.#sharing.add(id);
    else this.#sharing.delete(id);
  }
}

/** Writes down who was in a meeting and what they sent, behind the back of those who wait for signaling. */
import type { ParticipantInfo, TrackInfo } from '../../protocol/model.ts';
import type { ServerLogger } from '../config.ts';
import type { ParticipantIdentity } from '../signaling/session.ts';
import type { Store } from '../store/index.ts';

export class Records {
  readonly #store: Store;
  readonly #serverId: string;
  readonly #logger: ServerLogger;
  /** Ids of the tracks written down as live, by participant. */
  readonly #tracks = new Map<string, Set<string>>();
  #tail: Promise<void> = Promise.resolve();

  constructor(options: { store: Store; serverId: string; logger: ServerLogger }) {
    this.#store = options.store;
    this.#serverId = options.serverId;
    this.#logger = options.logger;
  }

  joined(
    meetingId: string,
    { joinedAt }: ParticipantInfo,
    { id, name, role, userId, recorder }: ParticipantIdentity,
    address: string | null,
  ): void {
    this.#tracks.set(id, new Set());
    this.#write('joined', async () => {
      const serverId = this.#serverId;
      // Who comes back after the resume window, or from another server, has a record already.
      if ((await this.#store.participants.rejoin(id, serverId, address)) !== undefined) return;
      await this.#store.participants.add({
        ...{ id, meetingId, displayName: name, role, userId, joinedAt, serverId, address, recorder },
      });
    });
  }

  /** Somebody is present of whom there is a record from before a restart. */
  restored(participantId: string): void {
    this.#tracks.set(participantId, new Set());
  }

  /** Notes the tracks that are new or have ended since the last call. */
  tracks(meetingId: string, { id: participantId, tracks }: ParticipantInfo): void {
    const known = this.#tracks.get(participantId);
    if (known === undefined) return;
    const current = new Set(tracks.map(({ id }) => id));
    for (const track of tracks) {
      if (known.has(track.id)) continue;
      known.add(track.id);
      this.#started(meetingId, participantId, track, Date.now());
    }
    for (const id of known) {
      if (current.has(id)) continue;
      known.delete(id);
      const at = Date.now();
      this.#write('track ended', async () => void (await this.#store.mediaStreams.end(id, at)));
    }
  }

  left(participantId: string, reason: string): void {
    this.#tracks.delete(participantId);
    const options = { at: Date.now(), serverId: this.#serverId };
    this.#write('left', async () => {
      await this.#store.participants.leave(participantId, reason, options);
    });
  }

  /** Resolves when everything so far is written. */
  flush(): Promise<void> {
    return this.#tail;
  }

  #started(meetingId: string, participantId: string, track: TrackInfo, startedAt: number): void {
    const { id, kind, source, codec, layers } = track;
    this.#write('track started', async () => {
      await this.#store.mediaStreams.start({
        id,
        meetingId,
        participantId,
        kind,
        source,
        codec,
        layers,
        startedAt,
      });
    });
  }

  #write(what: string, write: () => Promise<void>): void {
    this.#tail = this.#tail.then(write).catch((error: unknown) => {
      this.#logger.error({ err: error, what }, 'Record of a meeting not written');
    });
  }
}

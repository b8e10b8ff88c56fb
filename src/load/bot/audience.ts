/** What a bot knows of those it could receive: only who sends, not everybody, so that many bots fit into a process. */
import { layOut } from '../../client/view.ts';
import type { MediaKind, ParticipantInfo } from '../../protocol/model.ts';
import { MAX_VIDEO_REQUESTS, type StateUpdate, type VideoRequest } from '../../protocol/signaling.ts';

/** What a bot wants to receive. */
export interface BotView {
  readonly audio: boolean;
  readonly video: boolean;
  /** As the client's views; without one all videos are asked for at `maxHeight`, as many as one may ask for. */
  readonly layout?: 'gallery' | 'speaker';
  /** Lines. */
  readonly maxHeight?: number;
}

export class Audience {
  readonly #selfId: string;
  readonly #view: BotView;
  /** Those who send, in the order in which they came. */
  readonly #senders = new Map<string, ParticipantInfo>();
  /** Track → its sender and what it shows. */
  readonly #owners = new Map<string, string>();
  #speakers: readonly string[] = [];
  #asked: string | undefined;

  constructor(selfId: string, view: BotView) {
    this.#selfId = selfId;
    this.#view = view;
  }

  get othersSend(): boolean {
    return this.#senders.size > 0;
  }

  /** Somebody sends a picture. */
  get othersShow(): boolean {
    for (const { tracks } of this.#senders.values())
      if (tracks.some(({ kind }) => kind === 'video')) return true;
    return false;
  }

  /** The next {@link videos} are others than the last. */
  get changed(): boolean {
    return this.#asked !== undefined && JSON.stringify(this.#layOut()) !== this.#asked;
  }

  apply({ full, participants = [], left = [], speakers }: StateUpdate): void {
    if (full) {
      this.#senders.clear();
      this.#owners.clear();
    }
    for (const participant of participants) this.#applyOne(participant);
    for (const { id } of left) this.#senders.delete(id);
    if (speakers) this.#speakers = speakers;
  }

  #applyOne(participant: ParticipantInfo): void {
    const { id, tracks, state } = participant;
    if (id === this.#selfId) return;
    if (tracks.length === 0 || state === 'left') {
      this.#senders.delete(id);
      return;
    }
    this.#senders.set(id, participant);
    for (const track of tracks) this.#owners.set(track.id, `${id} ${track.source}`);
  }

  /** What the videos to ask for are; `undefined` where none are wanted. */
  videos(): VideoRequest[] | undefined {
    const videos = this.#layOut();
    this.#asked = JSON.stringify(videos);
    return videos;
  }

  #layOut(): VideoRequest[] | undefined {
    const { video, layout, maxHeight } = this.#view;
    if (!video) return undefined;
    const limit = maxHeight === undefined ? {} : { maxHeight };
    if (layout !== undefined) {
      const participants = this.#senders.values();
      return layOut({ layout, ...limit }, { selfId: this.#selfId, participants, speakers: this.#speakers })
        .videos;
    }
    return [...this.#senders.values()]
      .filter(({ tracks }) => tracks.some(({ source }) => source === 'camera'))
      .slice(0, MAX_VIDEO_REQUESTS)
      .map(({ id }) => ({ participantId: id, source: 'camera', ...limit }));
  }

  /** Names what is seen or heard in a track, the same when a sender has published it anew. */
  watchKey(trackId: string, kind: MediaKind): string {
    return this.#owners.get(trackId) ?? `${trackId} ${kind}`;
  }
}

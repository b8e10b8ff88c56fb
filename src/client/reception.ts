import type { AudioSlot, SentVideo, StateUpdate } from '../protocol/signaling.ts';

/** Which parts of the reception an update changed. */
export interface ReceptionChange {
  readonly speakers: boolean;
  readonly audioOnly: boolean;
  readonly videos: boolean;
  /** Slots with another occupant. */
  readonly slots: readonly AudioSlot[];
}

/** What the server says of this receiver: who speaks, what is sent of each video and why, who is in which slot. */
export class Reception {
  readonly #videos = new Map<string, SentVideo>();
  readonly #slots = new Map<number, AudioSlot>();
  #speakers: readonly string[] = [];
  #audioOnly = false;
  #estimate: number | undefined;

  /** Ids, the active speaker first. */
  get speakers(): readonly string[] {
    return this.#speakers;
  }

  /** The bandwidth carries no video. */
  get audioOnly(): boolean {
    return this.#audioOnly;
  }

  /** By track id. */
  get videos(): ReadonlyMap<string, SentVideo> {
    return this.#videos;
  }

  /** In the order of their numbers. */
  get slots(): readonly AudioSlot[] {
    return [...this.#slots.values()].sort((a, b) => a.slot - b.slot);
  }

  /** Bits a second to this receiver, as the server estimates them; `undefined` before it says so. */
  get estimate(): number | undefined {
    return this.#estimate;
  }

  /** Takes what an update says of it. */
  apply(update: StateUpdate): ReceptionChange {
    // The server has started over: what it said of the receiver before belongs to connections that are gone.
    if (update.mediaReset || update.self?.resumed === false) this.#reset();
    const before = this.#speakers.join();
    if (update.speakers) this.#speakers = update.speakers;
    const audioOnly = update.audioOnly ?? this.#audioOnly;
    const audioOnlyChanged = audioOnly !== this.#audioOnly;
    this.#audioOnly = audioOnly;
    for (const video of update.videos ?? []) this.#videos.set(video.trackId, video);
    if (update.estimate !== undefined) this.#estimate = update.estimate;
    const slots = (update.audioSlots ?? []).filter((slot) => {
      const known = this.#slots.get(slot.slot);
      this.#slots.set(slot.slot, slot);
      return known?.trackId !== slot.trackId || known.participantId !== slot.participantId;
    });
    return {
      speakers: this.#speakers.join() !== before,
      audioOnly: audioOnlyChanged,
      videos: (update.videos ?? []).length > 0,
      slots,
    };
  }

  /** Forgets what was said of tracks other than these. */
  retain(trackIds: ReadonlySet<string>): void {
    for (const trackId of this.#videos.keys()) if (!trackIds.has(trackId)) this.#videos.delete(trackId);
  }

  #reset(): void {
    this.#videos.clear();
    this.#slots.clear();
    this.#audioOnly = false;
    this.#estimate = undefined;
  }
}

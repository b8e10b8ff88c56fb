/** The meetings with people in them, by id; one is made when the first comes and closed when the last has gone. */
import type { Farewell } from '../signaling/session.ts';
import { meetingEnded } from '../store/index.ts';
import type { LiveMeeting } from './live-meeting.ts';

interface Entry {
  readonly opening: Promise<LiveMeeting>;
  live: LiveMeeting | undefined;
  /** Number of those on their way in, for whom it stays open. */
  holds: number;
}

export interface HeldMeeting {
  readonly live: LiveMeeting;
  /** To be called once the one it was held for is in, or turned away. */
  release(): void;
}

export class LiveMeetings {
  readonly #open: (meetingId: string) => Promise<LiveMeeting>;
  readonly #entries = new Map<string, Entry>();

  /** `open` makes a live meeting, and throws where the meeting cannot be entered. */
  constructor(open: (meetingId: string) => Promise<LiveMeeting>) {
    this.#open = open;
  }

  get(meetingId: string): LiveMeeting | undefined {
    return this.#entries.get(meetingId)?.live;
  }

  /**
   * Finds or makes it and keeps it open until released.
   *
   * @throws MeetError as `open` does; `meeting-ended` when it ends meanwhile
   */
  async hold(meetingId: string): Promise<HeldMeeting> {
    const entry = this.#entries.get(meetingId) ?? this.#create(meetingId);
    entry.holds += 1;
    let released = false;
    const release = () => {
      if (released) return;
      released = true;
      entry.holds -= 1;
      this.#closeIfUnused(meetingId, entry);
    };
    try {
      const live = await entry.opening;
      if (live.closed) throw meetingEnded(meetingId);
      return { live, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Closes one of them, sending everyone away. */
  async close(meetingId: string, farewell: Farewell): Promise<void> {
    const entry = this.#entries.get(meetingId);
    if (entry === undefined) return;
    this.#entries.delete(meetingId);
    const live = await entry.opening.catch(() => undefined);
    live?.close(farewell);
  }

  async closeAll(farewell: Farewell): Promise<void> {
    await Promise.all([...this.#entries.keys()].map((meetingId) => this.close(meetingId, farewell)));
  }

  #create(meetingId: string): Entry {
    const entry: Entry = { opening: this.#open(meetingId), live: undefined, holds: 0 };
    this.#entries.set(meetingId, entry);
    entry.opening.then(
      (live) => {
        entry.live = live;
        live.on('empty', () => this.#closeIfUnused(meetingId, entry));
      },
      () => this.#forget(meetingId, entry),
    );
    return entry;
  }

  #closeIfUnused(meetingId: string, entry: Entry): void {
    const { live } = entry;
    if (live === undefined || !live.empty || entry.holds > 0) return;
    this.#forget(meetingId, entry);
    live.close({ code: 1000, reason: 'left', message: 'Everyone has left.' });
  }

  #forget(meetingId: string, entry: Entry): void {
    if (this.#entries.get(meetingId) === entry) this.#entries.delete(meetingId);
  }
}

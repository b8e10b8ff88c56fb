import type { StoredFrame, StoredTrack } from '../tracks/index.ts';

/** Frames of a stored track, with a look at the next one before it is taken. */
export class StoredFrames {
  readonly #frames: AsyncGenerator<StoredFrame>;
  #next: StoredFrame | undefined;
  #isOver = false;

  constructor(track: StoredTrack) {
    this.#frames = track.frames();
  }

  /** The next frame, which stays; `undefined` behind the last. */
  async peek(): Promise<StoredFrame | undefined> {
    if (this.#next !== undefined || this.#isOver) return this.#next;
    const { value, done } = await this.#frames.next();
    if (done) this.#isOver = true;
    else this.#next = value;
    return this.#next;
  }

  /** Takes the frame that was last looked at. */
  drop(): void {
    this.#next = undefined;
  }

  async close(): Promise<void> {
    await this.#frames.return(undefined);
  }
}

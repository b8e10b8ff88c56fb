/** What of a frame is said with its picture. */
export interface FrameTag {
  /** Counts the frames of a track that were given to a decoder, from 0. */
  readonly sequence: number;
  readonly mediaTimeMs: number;
  /** When the sender captured it, as far as that is known, milliseconds since the epoch. */
  readonly capturedAtMs: number | undefined;
}

interface Waiting {
  readonly tag: FrameTag;
  /** On a clock that only goes forward, milliseconds. */
  readonly sinceMs: number;
}

/** Frames over which the fewest that wait are counted: about a second. */
const WINDOW_FRAMES = 30;

/**
 * Which frame a picture was: decoders of meetings give one for one, in order. One that complains may have swallowed a
 * frame; after that, those that are always left over are dropped, so that pictures do not stay late by them.
 */
export class FrameQueue {
  #waiting: Waiting[] = [];
  #last: FrameTag | undefined;
  #complaints = 0;
  #suspect = false;
  #fewest = Number.POSITIVE_INFINITY;
  #counted = 0;

  /** How long the oldest frame has been waiting for its picture, milliseconds. */
  waitingMs(nowMs: number): number {
    const [oldest] = this.#waiting;
    return oldest ? nowMs - oldest.sinceMs : 0;
  }

  /** @param complaints how often the decoder has complained so far */
  push(tag: FrameTag, nowMs: number, complaints: number): void {
    if (complaints !== this.#complaints) {
      this.#complaints = complaints;
      this.#suspect = true;
      this.#counted = 0;
      this.#fewest = Number.POSITIVE_INFINITY;
    }
    if (this.#suspect) this.#resolve();
    this.#waiting.push({ tag, sinceMs: nowMs });
    this.#last = tag;
  }

  /** The tag of the picture that just came; `undefined` before any frame. */
  shift(): FrameTag | undefined {
    return this.#waiting.shift()?.tag ?? this.#last;
  }

  #resolve(): void {
    this.#fewest = Math.min(this.#fewest, this.#waiting.length);
    this.#counted += 1;
    if (this.#counted < WINDOW_FRAMES) return;
    this.#waiting.splice(0, this.#fewest);
    this.#suspect = false;
  }
}

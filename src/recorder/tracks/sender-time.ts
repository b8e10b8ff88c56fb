/**
 * One time for all participants: when a frame was captured, on the recorder's clock.
 *
 * Each sender stamps frames with its own clock, which may be hours off and some 100 ppm fast or slow. The frame that
 * came with the least delay tells how far off it is: time of arrival less time of capture is the clocks' difference
 * plus the delay, and the smallest of the last half minute has the smallest delay. What is left is the path's least
 * delay, a few milliseconds that are the same for picture and sound.
 */

/** Differences are kept by the second, for so many seconds: 200 ppm move a clock by 6 ms meanwhile. */
const WINDOW_SECONDS = 30;
/** A clock that was set back looks like frames that all come later than this; so many seconds of it are believed. */
const STEP_MS = 1_000;
const STEP_SECONDS = 3;

/** A frame's times, as `ReceivedFrame` has them. */
export interface FrameTimes {
  readonly mediaTimeMs: number;
  readonly captureTimeMs: number | undefined;
  readonly receivedAtMs: number;
}

/** The smallest difference of two clocks, of late. */
class LeastDifference {
  #seconds: { readonly second: number; least: number }[] = [];

  /** Takes a difference seen at a time, milliseconds; gives the smallest of late. */
  add(difference: number, atMs: number): number {
    const second = Math.floor(atMs / 1000);
    const last = this.#seconds.at(-1);
    if (last?.second === second) last.least = Math.min(last.least, difference);
    else {
      this.#seconds.push({ second, least: difference });
      this.#seconds = this.#seconds.filter((entry) => entry.second > second - WINDOW_SECONDS);
      this.#noticeStep();
    }
    return Math.min(...this.#seconds.map(({ least }) => least));
  }

  /** Forgets what was before a step of the sender's clock. */
  #noticeStep(): void {
    // The second that has just begun has seen one frame only.
    const recent = this.#seconds.slice(-STEP_SECONDS - 1, -1);
    if (recent.length < STEP_SECONDS) return;
    const before = this.#seconds.slice(0, -STEP_SECONDS - 1);
    const least = Math.min(...before.map((entry) => entry.least));
    if (before.length > 0 && recent.every((entry) => entry.least > least + STEP_MS))
      this.#seconds = this.#seconds.slice(-STEP_SECONDS - 1);
  }
}

/** The clock of one participant; made anew when its connection is, and of the tracks that do not say their capture time. */
export class SenderTime {
  readonly #capture = new LeastDifference();
  readonly #media = new Map<string, LeastDifference>();

  /** When the frame was captured, milliseconds since the epoch on the recorder's clock, never after it came. */
  capturedAt(trackId: string, { mediaTimeMs, captureTimeMs, receivedAtMs }: FrameTimes): number {
    if (captureTimeMs !== undefined) {
      this.#media.delete(trackId);
      return captureTimeMs + this.#capture.add(receivedAtMs - captureTimeMs, receivedAtMs);
    }
    // Before the first report the track has a clock of its own.
    const own = this.#media.get(trackId) ?? new LeastDifference();
    this.#media.set(trackId, own);
    return mediaTimeMs + own.add(receivedAtMs - mediaTimeMs, receivedAtMs);
  }

  /** Forgets a track that has ended. */
  ended(trackId: string): void {
    this.#media.delete(trackId);
  }
}

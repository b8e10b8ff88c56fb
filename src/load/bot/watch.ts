/** What a viewer would have seen of one track: delays, and pictures that stand still. */
import type { MediaKind } from '../../protocol/model.ts';
import type { BotFigures } from './figures.ts';

/** A picture is frozen when the next one is later than it should be by more than this, milliseconds. */
export const FREEZE_MS = 200;
/** A picture lasts so long while nothing is known of the rate, milliseconds: 30 a second. */
const USUAL_INTERVAL_MS = 33;

export interface WatchOptions {
  readonly kind: MediaKind;
  /** Hz. */
  readonly clockRate: number;
  readonly figures: BotFigures;
  /** The first frame is there. */
  readonly onFirst: (nowMs: number) => void;
}

/**
 * Follows one track across connections: what the viewer waits for while a server is away is one picture that stands
 * still. Times are milliseconds of the run's clock.
 */
export class Watch {
  readonly #options: WatchOptions;
  #lastMs: number | undefined;
  #lastTimestamp = 0;
  #intervalMs = USUAL_INTERVAL_MS;
  #heldBackSince: number | undefined;
  #countedMs: number | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** @param follows the frame is the next after the last one: nothing between them is missing */
  frame(nowMs: number, timestamp: number, capturedMs: number | undefined, follows: boolean): void {
    const { kind, figures, onFirst } = this.#options;
    if (capturedMs !== undefined) {
      const latencyMs = nowMs - capturedMs;
      figures.time('media_latency', latencyMs);
      figures.time(kind === 'video' ? 'video_latency' : 'audio_latency', latencyMs);
    }
    if (this.#lastMs === undefined) {
      this.#countedMs = nowMs;
      onFirst(nowMs);
    }
    if (kind === 'audio') {
      figures.add('audioFrames');
      this.#lastMs = nowMs;
      return;
    }
    figures.add('frames');
    if (this.#lastMs !== undefined) this.#judge(nowMs, timestamp, follows, this.#lastMs);
    this.#lastMs = nowMs;
    this.#lastTimestamp = timestamp;
  }

  #judge(nowMs: number, timestamp: number, follows: boolean, lastMs: number): void {
    const { figures, clockRate } = this.#options;
    if (this.#heldBackSince !== undefined) {
      // The server had said that it sends none.
      figures.add('heldBackMs', nowMs - this.#heldBackSince);
      this.#heldBackSince = undefined;
      return;
    }
    // By the sender's own clock, so that a sender that paused is not taken for a picture that is late.
    if (follows) this.#intervalMs = Math.max(0, ((timestamp - this.#lastTimestamp) | 0) * 1000) / clockRate;
    const lateMs = nowMs - lastMs - this.#intervalMs;
    if (lateMs > FREEZE_MS) this.#freeze(lateMs);
  }

  #freeze(ms: number): void {
    const { figures } = this.#options;
    figures.add('freezes');
    figures.add('frozenMs', ms);
    figures.time('freeze', ms);
  }

  /** The server sends no picture, by its own word, or does again. */
  setHeldBack(heldBack: boolean, nowMs: number): void {
    if (!heldBack || this.#options.kind === 'audio') return;
    this.#heldBackSince ??= nowMs;
  }

  /** Adds the time since the last call to what was watched. */
  count(nowMs: number): void {
    if (this.#countedMs === undefined || this.#options.kind === 'audio') return;
    this.#options.figures.add('watchedMs', nowMs - this.#countedMs);
    this.#countedMs = nowMs;
  }

  /**
   * Nothing more is to come.
   *
   * @param wasExpected somebody would still be waiting for the next picture
   */
  end(nowMs: number, wasExpected: boolean): void {
    this.count(nowMs);
    this.#countedMs = undefined;
    if (this.#lastMs === undefined || this.#options.kind === 'audio' || !wasExpected) return;
    if (this.#heldBackSince !== undefined) {
      this.#options.figures.add('heldBackMs', nowMs - this.#heldBackSince);
      return;
    }
    const lateMs = nowMs - this.#lastMs - this.#intervalMs;
    if (lateMs > FREEZE_MS) this.#freeze(lateMs);
  }
}

import type { EncodedMedia } from '../cache/media.ts';
import { TICKS_PER_SECOND } from '../encode/keyframe-grid.ts';
import type { AudioDescription, EncodedSource, SourceSink, VideoDescription } from '../types.ts';
import { AudioCursor } from './audio-cursor.ts';
import type { Cursor, CycleLength } from './cursor.ts';
import type { Passes } from './passes.ts';
import { VideoCursor } from './video-cursor.ts';

/**
 * A frame that is later than this moves all that follow; what is less late is caught up at twice the speed, which a
 * receiver's playout delay of some 200 ms hides.
 */
const MAX_LATE_MS = 200;
/** Media that must be there before playing goes on after the encoder was too slow; doubled each time. */
const FIRST_REFILL_TICKS = TICKS_PER_SECOND / 2;
const MAX_REFILL_TICKS = 8 * TICKS_PER_SECOND;
/** How often media that is not kept is told what has been played. */
const RELEASE_TICKS = TICKS_PER_SECOND;

export interface PlayerTrack {
  readonly passes: Passes;
  readonly loop: boolean;
  /** Length of a pass; tracks that loop together have the same. */
  readonly cycle: CycleLength;
}

/**
 * Plays encoded media in real time: one clock (`performance.now`) for picture and sound, each frame at its due time.
 * When the encoder, the disk or this process is late, everything is late by the same: the clock is moved on, and
 * frame times with it, so that they keep saying when a frame was sent. Nothing is skipped or repeated.
 */
export class Player implements EncodedSource {
  readonly video?: VideoDescription;
  readonly audio?: AudioDescription;
  readonly #videoCursor: VideoCursor | undefined;
  readonly #cursors: Cursor[];
  readonly #passes: readonly Passes[];
  readonly #cursorPasses: Passes[];
  readonly #endless: boolean[];
  readonly #watched = new Set<EncodedMedia>();
  #sink: SourceSink | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** `performance.now()` of source time 0. */
  #originMs = 0;
  /** All pauses so far. */
  #pausedUs = 0;
  #notBeforeMs = 0;
  #stalled = false;
  /** Set while frames are given: a sink may ask for a keyframe from within. */
  #giving = false;
  #refillTicks = FIRST_REFILL_TICKS;
  #releasedTicks = 0;
  #closing: Promise<void> | undefined;

  constructor(tracks: { video?: PlayerTrack; audio?: PlayerTrack }) {
    const wake = () => this.#wake();
    const { video, audio } = tracks;
    if (video) {
      this.video = video.passes.first.video!;
      this.#videoCursor = new VideoCursor({ ...video, wake });
    }
    if (audio) this.audio = audio.passes.first.audio!;
    const audioCursor = audio && new AudioCursor({ ...audio, wake });
    // At the same time the picture goes first.
    const both = [
      { cursor: this.#videoCursor, track: video },
      { cursor: audioCursor, track: audio },
    ].flatMap(({ cursor, track }) => (cursor && track ? [{ cursor, track }] : []));
    this.#cursors = both.map(({ cursor }) => cursor);
    this.#cursorPasses = both.map(({ track }) => track.passes);
    this.#endless = both.map(({ track }) => track.passes.first.still && track.loop);
    this.#passes = [...new Set(this.#cursorPasses)];
  }

  start(sink: SourceSink): void {
    if (this.#sink || this.#closing !== undefined) return;
    this.#sink = sink;
    this.#originMs = performance.now();
    this.#run();
  }

  requestKeyFrame(layer: number): void {
    this.#videoCursor?.requestKeyFrame(layer, this.#nowTicks());
    this.#wake();
  }

  setLayerActive(layer: number, active: boolean): void {
    this.#videoCursor?.setLayerActive(layer, active, this.#nowTicks());
    this.#wake();
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#stop();
      await Promise.all(this.#passes.map((passes) => passes.close()));
    })();
    return this.#closing;
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#sink = undefined;
    for (const media of this.#watched) {
      media.off('grown', this.#wake);
      media.off('failed', this.#fail);
    }
    this.#watched.clear();
  }

  readonly #fail = (error: Error): void => {
    const sink = this.#sink;
    this.#stop();
    sink?.failed(error);
  };

  readonly #wake = (): void => {
    if (!this.#sink || this.#giving) return;
    if (this.#stalled && !this.#isRefilled()) return;
    this.#stalled = false;
    clearTimeout(this.#timer);
    this.#run();
  };

  /** Gives what is due and sets the timer for what is next. */
  #run(): void {
    while (this.#sink) {
      this.#watch();
      const turn = this.#nextTurn();
      if (turn === 'ended') {
        const sink = this.#sink;
        this.#stop();
        sink.ended();
        return;
      }
      if (turn === 'waiting') {
        this.#stall();
        return;
      }
      const now = performance.now();
      const due = Math.max(this.#dueMs(turn.ticks), this.#notBeforeMs);
      if (due > now) {
        this.#timer = setTimeout(() => this.#run(), Math.ceil(due - now));
        return;
      }
      if (!this.#give(turn, now)) return;
    }
  }

  /** Gives the frames of one turn; `false` when they have still to be read. */
  #give(turn: { cursor: Cursor; ticks: number }, now: number): boolean {
    const late = now - this.#dueMs(turn.ticks);
    if (late > MAX_LATE_MS) this.#pausedUs += Math.round(late * 1000);
    const frames = turn.cursor.take((ticks) => this.#toUs(ticks));
    if (!frames) {
      if (late > MAX_LATE_MS) this.#pausedUs -= Math.round(late * 1000);
      return false;
    }
    this.#giving = true;
    try {
      for (const frame of frames) this.#sink?.frame(frame);
    } finally {
      this.#giving = false;
    }
    const next = this.#nextTurn();
    // What is late is caught up at twice the speed.
    if (typeof next === 'object')
      this.#notBeforeMs = now + (this.#dueMs(next.ticks) - this.#dueMs(turn.ticks)) / 2;
    this.#release(turn.ticks);
    return true;
  }

  /** The track whose frame is due first. A track may not run ahead of what is known of another. */
  #nextTurn(): { cursor: Cursor; ticks: number } | 'waiting' | 'ended' {
    let first: { cursor: Cursor; ticks: number } | undefined;
    let limit = Infinity;
    let waiting = false;
    let running = 0;
    this.#cursors.forEach((cursor, index) => {
      const next = cursor.next();
      if (next === 'ended') return;
      if (!this.#endless[index]) running += 1;
      if (next === 'waiting') {
        waiting = true;
        limit = Math.min(limit, cursor.knownTicks);
      } else if (!first || next < first.ticks) {
        first = { cursor, ticks: next };
      }
    });
    const onlyStills = this.#endless.every(Boolean);
    if (running === 0 && !onlyStills) return 'ended';
    if (first && first.ticks <= limit) return first;
    return waiting ? 'waiting' : 'ended';
  }

  #stall(): void {
    if (
      this.#stalled ||
      this.#cursorPasses.every((passes, i) => passes.pass(this.#cursors[i]!.pass).complete)
    )
      return;
    this.#stalled = true;
    this.#refillTicks = Math.min(this.#refillTicks * 2, MAX_REFILL_TICKS);
  }

  #isRefilled(): boolean {
    return this.#cursors.every((cursor, index) => {
      const media = this.#cursorPasses[index]!.pass(cursor.pass);
      return media.complete || media.availableTicks >= cursor.passTicks + this.#refillTicks;
    });
  }

  /** Listens to the media that is being played. */
  #watch(): void {
    this.#cursors.forEach((cursor, index) => {
      const media = this.#cursorPasses[index]!.pass(cursor.pass);
      if (this.#watched.has(media)) return;
      this.#watched.add(media);
      media.on('grown', this.#wake);
      media.on('failed', this.#fail);
      if (media.failure) setImmediate(() => this.#fail(media.failure!));
    });
  }

  #release(ticks: number): void {
    if (ticks - this.#releasedTicks < RELEASE_TICKS) return;
    this.#releasedTicks = ticks;
    for (const passes of this.#passes) {
      const cursors = this.#cursors.filter((_, index) => this.#cursorPasses[index] === passes);
      const pass = Math.min(...cursors.map((cursor) => cursor.pass));
      const behind = cursors.filter((cursor) => cursor.pass === pass).map((cursor) => cursor.passTicks);
      passes.release(pass, Math.min(...behind));
    }
  }

  #toUs(ticks: number): number {
    return Math.round((ticks * 1e6) / TICKS_PER_SECOND) + this.#pausedUs;
  }

  #dueMs(ticks: number): number {
    return this.#originMs + this.#toUs(ticks) / 1000;
  }

  #nowTicks(): number {
    return Math.round(
      ((performance.now() - this.#originMs) * 1000 - this.#pausedUs) * (TICKS_PER_SECOND / 1e6),
    );
  }
}

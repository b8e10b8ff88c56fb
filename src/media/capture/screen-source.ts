import type { LiveVideo } from '../encode/live-video.ts';
import type { EncodedFrame, EncodedSource, SourceSink, VideoDescription } from '../types.ts';
import { Cadence } from './cadence.ts';
import {
  type Content,
  ContentDetector,
  changedShare,
  PROBE_COLUMNS,
  PROBE_INTERVAL_MS,
  PROBE_ROWS,
} from './content.ts';
import type { PictureFeed } from './feed.ts';
import { screenSizes } from './layers.ts';
import type { CapturedPicture, Size } from './pixels.ts';

/**
 * Captures a second while nothing moves. Each costs as much as one of a film, so there are fewer; the first change of a
 * still picture is seen within 67 ms.
 */
const STILL_RATE = 15;
/** Wait for an encoder that has no room, milliseconds. */
const BUSY_RETRY_MS = 15;

/** Draws something into a picture before it is encoded, such as the sharer's camera. */
export interface Overlay {
  draw(picture: Buffer, size: Size): void;
  /** What it draws has changed since it was drawn last. */
  readonly changed: boolean;
}

export interface ScreenSourceOptions {
  readonly feed: PictureFeed;
  /** Makes the encoders, whose frames go where it is told. */
  readonly encode: (outlets: {
    onFrame: (frame: EncodedFrame) => void;
    onFailed: (error: Error) => void;
  }) => LiveVideo;
  readonly frameRate: number;
  readonly maxHeight: number;
  /** What the picture shows; `auto` finds out. */
  readonly content: Content | 'auto';
  readonly overlay?: Overlay;
  /** The feed's end is the end of the source; else its last picture stands. */
  readonly endsWithFeed?: boolean;
  /** Told whenever the content is taken for something else, with the source's own clock in milliseconds. */
  readonly onContent?: (content: Content, atMs: number) => void;
  /** Ends what the source was made with, after the feed and the encoders. */
  readonly onClose?: () => Promise<void>;
}

/** A screen as a source: captures, decides what is worth sending when, and encodes that. */
export class ScreenSource implements EncodedSource {
  readonly #options: ScreenSourceOptions;
  readonly #feed: PictureFeed;
  readonly #live: LiveVideo;
  readonly #detector = new ContentDetector();
  readonly #cadence: Cadence;
  readonly #startedMs = performance.now();
  #content: Content;
  #sink: SourceSink | undefined;
  #timer: NodeJS.Timeout | undefined;
  #shape: CapturedPicture | undefined;
  #grey: Buffer | undefined;
  #lookedMs = 0;
  #changedSinceLook = false;
  #failure: Error | undefined;
  #ended = false;
  #closing: Promise<void> | undefined;

  constructor(options: ScreenSourceOptions) {
    const { feed, encode, frameRate, content } = options;
    this.#options = options;
    this.#feed = feed;
    this.#content = content === 'auto' ? 'detail' : content;
    this.#cadence = new Cadence({ frameRate });
    this.#live = encode({
      onFrame: (frame) => this.#sink?.frame(frame),
      onFailed: (error) => this.#fail(error),
    });
    this.#cadence.changed(this.#nowMs());
    this.#captureFor(this.#content);
    feed.on('picture', (changed) => this.#onPicture(changed));
    feed.on('ended', (failure) => this.#onEnded(failure));
  }

  get video(): VideoDescription {
    return this.#live.description;
  }

  get clockOffsetMs(): number {
    return performance.timeOrigin + this.#startedMs;
  }

  /** What it is taken for now. */
  get content(): Content {
    return this.#content;
  }

  /** Process ids of the encoders. */
  get encoderPids(): number[] {
    return this.#live.pids;
  }

  start(sink: SourceSink): void {
    if (this.#closing !== undefined || this.#sink !== undefined) return;
    this.#sink = sink;
    if (this.#failure) sink.failed(this.#failure);
    else if (this.#ended) sink.ended();
    else {
      this.#feed.begin?.();
      this.#sendIfDue();
    }
  }

  requestKeyFrame(layer: number): void {
    this.#live.requestKeyFrame(layer);
    // After the caller is done: several layers may be asked for at once.
    queueMicrotask(() => this.#sendIfDue());
  }

  setLayerActive(layer: number, active: boolean): void {
    this.#live.setLayerActive(layer, active);
    if (active) queueMicrotask(() => this.#sendIfDue());
  }

  setBitrate(bitrate: number): void {
    this.#live.setBitrate(bitrate);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#sink = undefined;
    this.#feed.removeAllListeners();
    await Promise.all([this.#feed.close(), this.#live.close()]);
    await this.#options.onClose?.();
  }

  /** Milliseconds of the source's own clock. */
  #nowMs(): number {
    return performance.now() - this.#startedMs;
  }

  #onPicture(changed: boolean): void {
    const now = this.#nowMs();
    if (changed) {
      this.#changedSinceLook = true;
      this.#cadence.changed(now);
    }
    if (now - this.#lookedMs >= PROBE_INTERVAL_MS) this.#look(now);
    this.#sendIfDue();
  }

  /** Looks at what has changed, and decides what the picture shows. */
  #look(now: number): void {
    this.#lookedMs = now;
    if (this.#options.content !== 'auto') return;
    let share = 0;
    if (this.#changedSinceLook) {
      const grey = this.#feed.picture.grey(PROBE_COLUMNS, PROBE_ROWS);
      share = this.#grey === undefined ? 0 : changedShare(this.#grey, grey);
      this.#grey = grey;
      this.#changedSinceLook = false;
    }
    const content = this.#detector.look(share);
    if (content === this.#content) return;
    this.#content = content;
    this.#captureFor(content);
    this.#options.onContent?.(content, now);
  }

  #captureFor(content: Content): void {
    const { frameRate } = this.#options;
    this.#feed.setRate(content === 'motion' ? frameRate : Math.min(frameRate, STILL_RATE));
  }

  /** Sends the current picture if it is due, and comes back when it will be. */
  #sendIfDue(): void {
    clearTimeout(this.#timer);
    if (this.#sink === undefined || this.#closing !== undefined || this.#failure) return;
    const now = this.#nowMs();
    if (this.#options.overlay?.changed && !this.#cadence.pending) this.#cadence.changed(now);
    const due = this.#live.keyframeWanted ? now : this.#cadence.dueMs(this.#content);
    if (due > now) {
      this.#comeBack(due - now);
      return;
    }
    if (this.#live.busy) {
      this.#comeBack(BUSY_RETRY_MS);
      return;
    }
    this.#send(now);
    this.#comeBack(Math.max(1, this.#cadence.dueMs(this.#content) - now));
  }

  #comeBack(ms: number): void {
    this.#timer = setTimeout(() => this.#sendIfDue(), ms);
  }

  #send(now: number): void {
    const { picture } = this.#feed;
    if (picture !== this.#shape) {
      this.#shape = picture;
      const { maxHeight } = this.#options;
      this.#live.resize(screenSizes(picture.size, maxHeight, this.video.layers.length));
      this.#grey = undefined;
    }
    const pictures = new Map<number, Buffer>();
    for (const [layer, size] of this.#live.wanted) {
      const scaled = picture.picture(size);
      this.#options.overlay?.draw(scaled, size);
      pictures.set(layer, scaled);
    }
    this.#live.encode(pictures, now);
    this.#cadence.sent(now);
  }

  #onEnded(failure: Error | undefined): void {
    if (failure) this.#fail(failure);
    else if (this.#options.endsWithFeed) {
      this.#ended = true;
      this.#sink?.ended();
    }
  }

  #fail(error: Error): void {
    if (this.#failure || this.#closing !== undefined) return;
    this.#failure = error;
    clearTimeout(this.#timer);
    this.#sink?.failed(error);
  }
}

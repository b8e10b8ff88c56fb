import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import type { FeedEvents, PictureFeed } from './feed.ts';
import { Grabber, type GrabCommand } from './grabber.ts';
import type { CapturedPicture } from './pixels.ts';

/** Says how to capture now; `undefined` while there is nothing to see. @throws MeetError when it is gone for good */
export type Locate = (frameRate: number) => Promise<GrabCommand | undefined>;

/** Grabbers that end without a picture, one after the other, before that is the end. */
const MAX_FAILURES = 3;

/** A screen that may change its size, its place and its rate: with each change another process captures. */
export class ScreenFeed extends EventEmitter<FeedEvents> implements PictureFeed {
  readonly #locate: Locate;
  #frameRate: number;
  #grabber: Grabber | undefined;
  /** Takes the place of the other with its first picture. */
  #successor: Grabber | undefined;
  readonly #closing = new Set<Promise<void>>();
  #picture: CapturedPicture | undefined;
  #command = '';
  #generation = 0;
  #failures = 0;
  #closed = false;

  private constructor(locate: Locate, frameRate: number) {
    super();
    this.#locate = locate;
    this.#frameRate = frameRate;
  }

  /** Captures; resolves with the first picture. @throws MeetError what keeps it from being captured */
  static async open(locate: Locate, frameRate: number): Promise<ScreenFeed> {
    const feed = new ScreenFeed(locate, frameRate);
    const first = Promise.withResolvers<void>();
    feed.once('picture', () => first.resolve());
    feed.once('ended', (failure) =>
      first.reject(failure ?? new MeetError('device-unusable', 'It gives no picture.')),
    );
    try {
      await feed.#start();
      if (feed.#successor === undefined) {
        throw new MeetError('device-unusable', 'The window is not on the screen now.', {
          hint: 'It may be minimised, or on another desktop.',
        });
      }
      await first.promise;
      feed.removeAllListeners();
      return feed;
    } catch (error) {
      first.promise.catch(() => {});
      await feed.close();
      throw error;
    }
  }

  get picture(): CapturedPicture {
    if (this.#picture === undefined) throw new Error('There is no picture before the feed is open');
    return this.#picture;
  }

  /** Process id of what captures, while it runs. */
  get pid(): number | undefined {
    return this.#grabber?.pid;
  }

  setRate(frameRate: number): void {
    if (this.#frameRate === frameRate) return;
    this.#frameRate = frameRate;
    void this.relocate();
  }

  /** Looks anew at where what is shared is, and captures there. */
  async relocate(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      this.#end(MeetError.from(error));
    }
  }

  async #start(): Promise<void> {
    const generation = ++this.#generation;
    const command = await this.#locate(this.#frameRate);
    if (this.#closed || generation !== this.#generation) return;
    if (command === undefined) {
      // The last picture stands until there is something to see again.
      this.#command = '';
      this.#drop(this.#successor);
      this.#drop(this.#grabber);
      this.#successor = undefined;
      this.#grabber = undefined;
      return;
    }
    const words = JSON.stringify(command);
    if (words === this.#command) return;
    this.#command = words;
    this.#drop(this.#successor);
    const grabber = new Grabber(command);
    this.#successor = grabber;
    grabber.on('picture', (changed) => this.#take(grabber, changed));
    grabber.on('ended', (failure) => void this.#lost(grabber, failure));
  }

  #take(grabber: Grabber, changed: boolean): void {
    this.#failures = 0;
    if (grabber === this.#successor) {
      this.#successor = undefined;
      this.#drop(this.#grabber);
      this.#grabber = grabber;
    }
    if (grabber !== this.#grabber) return;
    const before = this.#picture;
    this.#picture = grabber.picture;
    // The first picture of a process is no change where it shows what the last of the one before did.
    const same = before !== undefined && before !== grabber.picture && before.equals(grabber.picture);
    this.emit('picture', changed && !same);
  }

  /** A process has ended by itself: what it captured has changed or is gone, or it cannot be captured at all. */
  async #lost(grabber: Grabber, failure: Error | undefined): Promise<void> {
    if (this.#closed || (grabber !== this.#grabber && grabber !== this.#successor)) return;
    if (grabber === this.#grabber) this.#grabber = undefined;
    else this.#successor = undefined;
    this.#command = '';
    this.#failures += 1;
    if (this.#failures < MAX_FAILURES) await this.relocate();
    else this.#end(failure ?? new MeetError('device-unusable', 'The screen gives no picture any more.'));
  }

  #end(failure: Error): void {
    if (this.#closed) return;
    this.emit('ended', failure);
  }

  #drop(grabber: Grabber | undefined): void {
    if (grabber === undefined) return;
    const closing = grabber.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#drop(this.#successor);
    this.#drop(this.#grabber);
    await Promise.all(this.#closing);
  }
}

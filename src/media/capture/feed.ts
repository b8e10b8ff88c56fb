import type { EventEmitter } from 'node:events';
import type { CapturedPicture } from './pixels.ts';

export interface FeedEvents {
  /** A picture has come, which is the feed's current one now. */
  picture: [changed: boolean];
  /** No more will come: with the reason, or without where the input was at its end. */
  ended: [failure: Error | undefined];
}

/** Raw pictures of something that is shared, as they come. */
export interface PictureFeed extends EventEmitter<FeedEvents> {
  /** The current picture; another object, of another size perhaps, whenever what is shared changes its size. */
  readonly picture: CapturedPicture;
  /** What is shared begins to run, where it waits for that. */
  begin?(): void;
  /** Pictures a second that are captured from now on, where that can be chosen. */
  setRate(frameRate: number): void;
  /** Ends what captures. */
  close(): Promise<void>;
}

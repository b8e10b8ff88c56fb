import type { EncodedMedia } from '../cache/media.ts';

/**
 * One input, as often as it is played: pass 0, 1, 2 … Media in the cache is the same in all passes; media that is
 * not kept is encoded again for each.
 */
export interface Passes {
  readonly first: EncodedMedia;
  /** The media of a pass. A reader asks for passes in order, beginning with 0. */
  pass(index: number): EncodedMedia;
  /** Says that nothing before this time of this pass will be read again. */
  release(index: number, ticks: number): void;
  close(): Promise<void>;
}

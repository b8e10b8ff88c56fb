import type { EncodedFrame } from '../types.ts';

/** Length of a pass of the track, in ticks, once it is known. */
export type CycleLength = (pass: number) => number | undefined;

/** Where one track of a source is. Times are ticks of 1/90000 s since the source started, pauses left out. */
export interface Cursor {
  /** When the next frame is due; `waiting` when it is not there yet. */
  next(): number | 'waiting' | 'ended';
  /** The frames that are due, or `undefined` when they still have to be read; a frame's time is filled in. */
  take(toUs: (ticks: number) => number): EncodedFrame[] | undefined;
  /** Up to which time the track is known to have nothing more than it gave. */
  readonly knownTicks: number;
  /** For releasing: the pass and the time in it before which nothing will be read. */
  readonly pass: number;
  readonly passTicks: number;
  /** Time at which the pass began. */
  readonly cycleStart: number;
}

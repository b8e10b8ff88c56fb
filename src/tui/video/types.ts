import type { Picture } from '../../media/decode/video-decoder.ts';

/** Where on the screen a picture stands, in cells counted from 0. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly columns: number;
  readonly rows: number;
}

/** Draws the pictures of one tile, one after the other in the same place, in a terminal's own way. */
export interface TilePainter {
  /** What to write to the terminal so that it shows the picture there. */
  paint(picture: Picture, place: Place): string;
  /** What was drawn is no longer on the screen. */
  invalidate(): void;
  /** What to write to take the picture away, beyond writing over it. */
  erase(): string;
}

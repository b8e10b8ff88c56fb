import { even, type Size } from '../layout/rect.ts';
import { lineHeight, write } from '../text/writer.ts';
import type { Rect } from '../types.ts';
import type { Masks } from './masks.ts';
import { BLACK, WHITE } from './picture.ts';
import { pill } from './shapes.ts';
import { labelSize } from './style.ts';
import type { Surface } from './surface.ts';

const SHARE = 0.65;

/** The time of day in the upper right corner, over the tiles. */
export interface ClockFace {
  readonly text: string;
  readonly rect: Rect;
  paint(surface: Surface): void;
}

/** Makes the faces of a clock, one a second. */
export class Clock {
  readonly #masks: Masks;
  readonly #format: Intl.DateTimeFormat;
  readonly #size: number;
  readonly #rect: Rect;
  readonly #padding: number;
  #face: { readonly second: number; readonly face: ClockFace } | undefined;

  constructor(masks: Masks, options: { canvas: Size; gap: number; timeZone: string | undefined }) {
    const { canvas, gap, timeZone } = options;
    this.#masks = masks;
    this.#format = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium', timeZone });
    this.#size = labelSize({ x: 0, y: 0, ...canvas }, canvas.height);
    this.#padding = even(this.#size / 3);
    // Digits of the font are all of the same width: any time is as wide as this one.
    const width = even(write('00:00:00', this.#size).width) + 2 * this.#padding;
    const height = even(lineHeight(this.#size));
    this.#rect = { x: canvas.width - width - 2 * gap, y: 2 * gap, width, height };
  }

  /** @param timeMs since the epoch */
  at(timeMs: number): ClockFace {
    const second = Math.floor(timeMs / 1_000);
    if (this.#face?.second !== second) {
      const text = this.#format.format(second * 1_000);
      const face = { text, rect: this.#rect, paint: (surface: Surface) => this.#paint(surface, text) };
      this.#face = { second, face };
    }
    return this.#face!.face;
  }

  #paint(surface: Surface, text: string): void {
    const { x, y, width, height } = this.#rect;
    const box = this.#masks.get(`pill ${width} ${height}`, () => pill(width, height, height / 4));
    surface.paint(x, y, box, BLACK, { share: SHARE });
    const mask = this.#masks.get(`clock ${text}`, () => write(text, this.#size));
    surface.paint(x + this.#padding, y, mask, WHITE, {
      width: Math.min(mask.width, width - this.#padding),
      height: Math.min(mask.height, height),
    });
  }
}

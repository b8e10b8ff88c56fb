/**
 * Tells what a shared picture is: *detail*, such as slides, documents and terminals, whose every pixel counts, or
 * *motion*, such as a film, which has to be smooth. Only how much changes and how often decides: text that scrolls is
 * motion while it scrolls, and a film that stands still is detail.
 */

export type Content = 'detail' | 'motion';

/** The grey picture that is looked at. */
export const PROBE_COLUMNS = 160;
export const PROBE_ROWS = 90;
/** How often it is looked at, milliseconds. */
export const PROBE_INTERVAL_MS = 100;

/** Shades by which a cell differs that has changed: less is what a codec or a fading cursor makes. */
const CHANGED_SHADES = 4;
/** Share of changed cells from which a look counts as movement: a line of text that is typed is below it. */
const MOVING_SHARE = 0.01;
/** The looks that decide: 0.8 s, so that with the wait for the first of them it is known within a second. */
const WINDOW = 8;
/** So many of them moving begin motion … */
const BEGIN_MOVING = 6;
/** … and so few end it. The distance between the two is what keeps it from flapping. */
const END_MOVING = 1;
/** Motion lasts so long at least: a film's cuts and pauses must not change the mode each time. */
const MIN_MOTION_LOOKS = 20;

/** Share of the cells of two grey pictures of the same size that differ, 0 to 1. */
export function changedShare(before: Uint8Array, now: Uint8Array): number {
  let changed = 0;
  for (let i = 0; i < now.length; i += 1) {
    if (Math.abs(now[i]! - before[i]!) >= CHANGED_SHADES) changed += 1;
  }
  return now.length === 0 ? 0 : changed / now.length;
}

/** Decides from the share of what changed between one look and the next. */
export class ContentDetector {
  readonly #moving: boolean[] = [];
  #content: Content = 'detail';
  #looksInMode = 0;

  get content(): Content {
    return this.#content;
  }

  /** Takes the share of changed cells since the last look, 0 for an exact repeat; gives what it is from now on. */
  look(share: number): Content {
    this.#moving.push(share >= MOVING_SHARE);
    if (this.#moving.length > WINDOW) this.#moving.shift();
    this.#looksInMode += 1;
    const moving = this.#moving.filter(Boolean).length;
    const next = this.#next(moving);
    if (next !== this.#content) this.#looksInMode = 0;
    this.#content = next;
    return next;
  }

  #next(moving: number): Content {
    if (this.#content === 'detail') return moving >= BEGIN_MOVING ? 'motion' : 'detail';
    const over = this.#moving.length === WINDOW && moving <= END_MOVING;
    return over && this.#looksInMode >= MIN_MOTION_LOOKS ? 'detail' : 'motion';
  }
}

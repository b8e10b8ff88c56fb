/** Rectangles of even pixels, as pictures with halved colour planes need them. */
import type { Rect } from '../types.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The nearest even number. */
export function even(value: number): number {
  return 2 * Math.round(value / 2);
}

/** The next even number that is not larger. */
export function evenBelow(value: number): number {
  return 2 * Math.floor(value / 2);
}

/** A rectangle of even pixels whose sides are those of `rect`, rounded: what lay inside of an even one still does. */
export function snap(rect: Rect): Rect {
  const x = even(rect.x);
  const y = even(rect.y);
  return { x, y, width: even(rect.x + rect.width) - x, height: even(rect.y + rect.height) - y };
}

/** The largest rectangle of 16:9 in another, in its middle. */
export function widescreenIn(outer: Rect): Rect {
  const width = evenBelow(Math.min(outer.width, (outer.height * 16) / 9));
  const height = Math.min(evenBelow(outer.height), even((width * 9) / 16));
  return {
    x: outer.x + evenBelow((outer.width - width) / 2),
    y: outer.y + evenBelow((outer.height - height) / 2),
    width,
    height,
  };
}

/** `rect` scaled around its middle. */
export function shrink(rect: Rect, factor: number): Rect {
  const width = rect.width * factor;
  const height = rect.height * factor;
  return {
    x: rect.x + (rect.width - width) / 2,
    y: rect.y + (rect.height - height) / 2,
    width,
    height,
  };
}

/** Between two rectangles: 0 is the first, 1 the second. */
export function between(from: Rect, to: Rect, share: number): Rect {
  const at = (a: number, b: number) => a + (b - a) * share;
  return {
    x: at(from.x, to.x),
    y: at(from.y, to.y),
    width: at(from.width, to.width),
    height: at(from.height, to.height),
  };
}

import { evenBelow, type Size } from '../layout/rect.ts';
import type { TileKind } from '../layout/types.ts';
import type { Rect } from '../types.ts';

/** A camera loses at most this share of its picture to fill its tile: 4:3 in 16:9 loses a quarter. */
const MOST_CROPPED = 0.26;

export interface Fit {
  /** Part of the source, even x and y. */
  readonly part: Rect;
  /** Where it goes, all even, inside of the tile. */
  readonly place: Rect;
}

/**
 * How a picture goes into a tile: a camera of nearly the tile's shape fills it and is cut at two sides, all else is shown
 * whole with bars.
 */
export function fitPicture(source: Size, rect: Rect, kind: TileKind): Fit {
  const shape = source.width / source.height;
  const wanted = rect.width / rect.height;
  const kept = Math.min(shape, wanted) / Math.max(shape, wanted);
  if (kind === 'camera' && kept >= 1 - MOST_CROPPED) {
    // Less than a pixel of difference is no reason to cut.
    const width = shape > wanted ? Math.min(source.width, Math.round(source.height * wanted)) : source.width;
    const height =
      shape > wanted ? source.height : Math.min(source.height, Math.round(source.width / wanted));
    const x = evenBelow((source.width - width) / 2);
    const y = evenBelow((source.height - height) / 2);
    return { part: { x, y, width, height }, place: rect };
  }
  const scale = Math.min(rect.width / source.width, rect.height / source.height);
  const width = Math.min(rect.width, Math.max(2, 2 * Math.round((source.width * scale) / 2)));
  const height = Math.min(rect.height, Math.max(2, 2 * Math.round((source.height * scale) / 2)));
  return {
    part: { x: 0, y: 0, width: source.width, height: source.height },
    place: {
      x: rect.x + evenBelow((rect.width - width) / 2),
      y: rect.y + evenBelow((rect.height - height) / 2),
      width,
      height,
    },
  };
}

import type { Rect } from '../types.ts';
import { even, evenBelow, type Size, widescreenIn } from './rect.ts';

/** Tiles that a picture shows at most: a sixth column would make faces too small to be seen. */
export const MAX_TILES = 25;

/** Pixels between tiles and around them. */
export function gapOf({ width, height }: Size): number {
  return Math.max(2, even(Math.min(width, height) / 90));
}

/**
 * Places for `count` tiles of 16:9 in an area, as large as they can be, row by row; the last row is in the middle.
 * One alone has the whole area.
 */
export function grid(count: number, area: Rect, gap: number): Rect[] {
  if (count === 0) return [];
  if (count === 1) return [widescreenIn(area)];
  const { columns, width, height } = largest(count, area, gap);
  const rows = Math.ceil(count / columns);
  const top = area.y + evenBelow((area.height - rows * height - (rows - 1) * gap) / 2);
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = area.x + evenBelow((area.width - inRow * width - (inRow - 1) * gap) / 2);
    const column = index - row * columns;
    return { x: left + column * (width + gap), y: top + row * (height + gap), width, height };
  });
}

/** The number of columns that leaves most room for a tile, and the tile's size. */
function largest(count: number, area: Rect, gap: number): Size & { readonly columns: number } {
  let best = { columns: 1, width: 0, height: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tallest = (area.height - gap * (rows + 1)) / rows;
    const widest = (area.width - gap * (columns + 1)) / columns;
    const width = evenBelow(Math.min(widest, (tallest * 16) / 9));
    const height = evenBelow(Math.min(tallest, (width * 9) / 16));
    if (width > best.width) best = { columns, width, height };
  }
  return best;
}

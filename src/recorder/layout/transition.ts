import type { Rect } from '../types.ts';
import { between, shrink, snap } from './rect.ts';
import type { Tile } from './types.ts';

/** How long tiles take to their places, milliseconds. */
export const TRANSITION_MS = 400;
/** Size from which a tile that comes grows, and to which one that goes shrinks. */
const SMALL = 0.7;
/** Tiles that go are covered by those that stay. */
const LEAVING_Z = -1;

interface Place {
  readonly rect: Rect;
  readonly opacity: number;
}

interface Movement {
  readonly tile: Tile;
  readonly from: Place;
  readonly to: Place;
  readonly startMs: number;
  readonly leaving: boolean;
}

/**
 * Moves tiles to where they belong: those that come grow and fade in, those that go fade out, and one that is called
 * elsewhere on its way goes there from where it is. Times are any clock's, milliseconds.
 */
export class Transition {
  #movements: readonly Movement[] = [];
  #begun = false;

  /** Tells where the tiles belong from now on. The first tiles of all are in their places at once. */
  to(tiles: readonly Tile[], nowMs: number): void {
    const coming = new Set(tiles.map(({ key }) => key));
    const before = new Map(this.#movements.map((movement) => [movement.tile.key, movement]));
    const staying = tiles.map((tile) => this.#move(tile, before.get(tile.key), nowMs));
    const going = this.#movements
      .filter(({ tile, ...movement }) => !coming.has(tile.key) && !isOver({ tile, ...movement }, nowMs))
      .map((movement) => leave(movement, nowMs));
    this.#movements = [...going, ...staying];
    this.#begun = true;
  }

  #move(tile: Tile, before: Movement | undefined, nowMs: number): Movement {
    const to: Place = { rect: tile.rect, opacity: tile.opacity };
    if (before && !before.leaving && isSame(before.to, to)) return { ...before, tile };
    const small: Place = this.#begun ? { rect: shrink(tile.rect, SMALL), opacity: 0 } : to;
    const from = before ? placeAt(before, nowMs) : small;
    return { tile, from, to, startMs: nowMs, leaving: false };
  }

  /** The tiles at a time, those to be drawn first at the front. */
  at(nowMs: number): Tile[] {
    return this.#movements
      .filter((movement) => !isOver(movement, nowMs))
      .map((movement) => {
        const { rect, opacity } = placeAt(movement, nowMs);
        const z = movement.leaving ? LEAVING_Z : movement.tile.z;
        return { ...movement.tile, rect: snap(rect), opacity, z };
      })
      .filter(({ rect, opacity }) => opacity > 0 && rect.width > 0 && rect.height > 0)
      .sort((a, b) => a.z - b.z);
  }

  /** Whether something moves at a time. */
  isMoving(nowMs: number): boolean {
    return this.#movements.some(({ startMs, from, to }) => shareOf(startMs, nowMs) < 1 && !isSame(from, to));
  }
}

function leave(movement: Movement, nowMs: number): Movement {
  if (movement.leaving) return movement;
  const from = placeAt(movement, nowMs);
  return {
    tile: movement.tile,
    from,
    to: { rect: shrink(from.rect, SMALL), opacity: 0 },
    startMs: nowMs,
    leaving: true,
  };
}

function isOver({ leaving, startMs }: Movement, nowMs: number): boolean {
  return leaving && shareOf(startMs, nowMs) >= 1;
}

function isSame(a: Place, b: Place): boolean {
  return (
    a.opacity === b.opacity &&
    a.rect.x === b.rect.x &&
    a.rect.y === b.rect.y &&
    a.rect.width === b.rect.width &&
    a.rect.height === b.rect.height
  );
}

/** How far on its way, 0 to 1. A clock that went back is at the start. */
function shareOf(startMs: number, nowMs: number): number {
  return Math.min(1, Math.max(0, (nowMs - startMs) / TRANSITION_MS));
}

function placeAt({ from, to, startMs }: Movement, nowMs: number): Place {
  const share = shareOf(startMs, nowMs);
  if (share === 1) return to;
  // Smoothstep: slow at both ends.
  const eased = share * share * (3 - 2 * share);
  return {
    rect: between(from.rect, to.rect, eased),
    opacity: from.opacity + (to.opacity - from.opacity) * eased,
  };
}

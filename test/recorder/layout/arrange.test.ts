import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arrange, neededHeight } from '../../../src/recorder/layout/arrange.ts';
import type { Scene, Tile } from '../../../src/recorder/layout/types.ts';
import type { Rect } from '../../../src/recorder/types.ts';
import { anyScene, anySize, people, person } from './scenes.ts';

const HD = { width: 1280, height: 720 };
const gallery = (count: number, more: Partial<Scene> = {}): Scene => ({
  layout: 'gallery',
  people: people(count),
  speakers: [],
  ...more,
});

function overlap(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

function isInside(inner: Rect, outer: Rect): boolean {
  return (
    inner.x >= outer.x &&
    inner.y >= outer.y &&
    inner.x + inner.width <= outer.x + outer.width &&
    inner.y + inner.height <= outer.y + outer.height
  );
}

const ids = (tiles: readonly Tile[]) => tiles.map(({ participantId }) => participantId);

describe('any scene at any size', () => {
  test('has tiles of even pixels inside of the picture that cover each other only in a corner of a screen', () => {
    fc.assert(
      fc.property(anyScene, anySize, (scene, size) => {
        const tiles = arrange(scene, size);
        expect(tiles.length).toBeLessThanOrEqual(25);
        expect(tiles.length > 0).toBe(scene.people.length > 0);
        expect(new Set(tiles.map(({ key }) => key)).size).toBe(tiles.length);
        for (const { rect } of tiles) {
          expect([rect.x, rect.y, rect.width, rect.height].every((side) => side % 2 === 0)).toBe(true);
          expect(rect.width > 0 && rect.height > 0).toBe(true);
          expect(isInside(rect, { x: 0, y: 0, ...size })).toBe(true);
        }
        const large = tiles.find(({ kind }) => kind === 'screen');
        for (const [index, tile] of tiles.entries()) {
          for (const other of tiles.slice(index + 1)) {
            if (!overlap(tile.rect, other.rect)) continue;
            expect(tile).toBe(large);
            expect(other).toMatchObject({ participantId: large!.participantId, z: 1 });
            expect(isInside(other.rect, large!.rect)).toBe(true);
          }
        }
      }),
    );
  });

  test('is the same whenever it is asked for, and keeps the order of joining', () => {
    fc.assert(
      fc.property(anyScene, anySize, (scene, size) => {
        const tiles = arrange(scene, size);
        expect(arrange(scene, size)).toEqual(tiles);
        const order = new Map(scene.people.map(({ id }, index) => [id, index]));
        const small = (
          scene.layout === 'gallery' && !tiles.some(({ kind }) => kind === 'screen')
            ? tiles
            : tiles.slice(1).filter(({ z }) => z === 0)
        ).map(({ participantId }) => order.get(participantId)!);
        expect(small).toEqual(small.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe('gallery', () => {
  test('has tiles of 16:9 with the last row in the middle', () => {
    const tiles = arrange(gallery(5), HD);
    for (const { rect } of tiles) expect(rect.width / rect.height).toBeCloseTo(16 / 9, 1);
    expect(new Set(tiles.map(({ rect }) => rect.y)).size).toBe(2);
    const [a, b] = tiles.slice(3).map(({ rect }) => rect);
    expect(Math.abs(a!.x - (1280 - b!.x - b!.width))).toBeLessThanOrEqual(2);
  });

  test('of one fills the picture', () => {
    expect(arrange(gallery(1), HD)[0]!.rect).toEqual({ x: 0, y: 0, ...HD });
  });

  test('shows 25 of many: those who spoke last are among them', () => {
    const shown = ids(arrange(gallery(40, { speakers: ['p39', 'p30'] }), HD));
    expect(shown).toHaveLength(25);
    expect(shown.slice(-2)).toEqual(['p30', 'p39']);
    expect(shown.slice(0, 23)).toEqual(people(23).map(({ id }) => id));
  });

  test('has an avatar for whose camera is off', () => {
    const [tile] = arrange(gallery(0, { people: [person(1)] }), HD);
    expect(tile).toMatchObject({ kind: 'avatar', key: 'p1/person', label: 'Person 1' });
    expect(tile).not.toHaveProperty('trackId');
  });
});

describe('speaker', () => {
  const speaker = (speakers: string[]) => arrange(gallery(6, { layout: 'speaker', speakers }), HD);

  test('has the active speaker large and the others beside it', () => {
    const [large, ...strip] = speaker(['p3', 'p1']);
    expect(large!.participantId).toBe('p3');
    expect(large!.rect.width).toBeGreaterThan(950);
    expect(ids(strip)).not.toContain('p3');
    for (const { rect } of strip) expect(rect.x).toBeGreaterThan(large!.rect.x + large!.rect.width - 1);
  });

  test('has somebody large before anybody spoke', () => {
    expect(speaker([])[0]!.participantId).toBe('p0');
    expect(speaker(['gone', 'p2'])[0]!.participantId).toBe('p2');
  });
});

describe('spotlight', () => {
  const scene = gallery(4, {
    layout: 'spotlight',
    people: [...people(3), person(3, { role: 'host', video: 'v3' })],
    speakers: ['p1'],
  });

  test('is on the host alone, whoever speaks', () => {
    const tiles = arrange(scene, HD);
    expect(ids(tiles)).toEqual(['p3']);
    expect(tiles[0]!.rect).toEqual({ x: 0, y: 0, ...HD });
  });

  test('is on who is pinned, and on the host while that one is away', () => {
    expect(ids(arrange({ ...scene, pinned: 'p2' }, HD))).toEqual(['p2']);
    expect(ids(arrange({ ...scene, pinned: 'away' }, HD))).toEqual(['p3']);
  });
});

test.each(['gallery', 'speaker', 'spotlight'] as const)(
  'in %s a shared screen is large, its sharer in the corner',
  (layout) => {
    const sharing = people(4).map((one, index) => (index === 2 ? { ...one, screen: 's2' } : one));
    const tiles = arrange({ layout, people: sharing, speakers: ['p0'] }, HD);
    expect(tiles[0]).toMatchObject({ kind: 'screen', trackId: 's2', participantId: 'p2' });
    expect(tiles[1]).toMatchObject({ kind: 'camera', trackId: 'v2', z: 1 });
    expect(ids(tiles.slice(2))).toEqual(layout === 'spotlight' ? [] : ['p0', 'p1', 'p3']);
  },
);

test('tells the height that a track is shown at', () => {
  const scene = gallery(9);
  expect(neededHeight(scene, HD, 'v4')).toBe(arrange(scene, HD)[4]!.rect.height);
  expect(neededHeight(scene, HD, 'v4')).toBeGreaterThan(200);
  expect(neededHeight(scene, HD, 'unknown')).toBe(0);
  expect(neededHeight({ ...scene, layout: 'speaker', speakers: ['p4'] }, HD, 'v4')).toBeGreaterThan(500);
});

import { describe, expect, test } from 'vitest';
import { choose, placeTiles, type VideoCandidate } from '../../../src/tui/video/tiles.ts';

const camera = (name: string, sent = true): VideoCandidate => ({
  trackId: `${name}-camera`,
  participantId: name,
  source: 'camera',
  sent,
});
const screen = (name: string): VideoCandidate => ({
  ...camera(name),
  trackId: `${name}-screen`,
  source: 'screen',
});
const names = (candidates: readonly VideoCandidate[]) => candidates.map(({ trackId }) => trackId);
const everybody = ['ada', 'bob', 'eve', 'joe', 'kim'].map((name) => camera(name));

describe('what is shown', () => {
  test('the active speaker, else the first', () => {
    const options = { layout: 'speaker', pinnedId: undefined } as const;
    expect(names(choose(everybody, { ...options, speakers: ['eve', 'bob'] }))).toEqual(['eve-camera']);
    expect(names(choose(everybody, { ...options, speakers: [] }))).toEqual(['ada-camera']);
  });

  test('who is pinned goes before screens, and they before speakers', () => {
    const all = [...everybody, screen('joe')];
    const options = { layout: 'speaker', speakers: ['eve'] } as const;
    expect(names(choose(all, { ...options, pinnedId: undefined }))).toEqual(['joe-screen']);
    expect(names(choose(all, { ...options, pinnedId: 'kim' }))).toEqual(['kim-camera']);
  });

  test('a gallery has four, who speaks among them, in places that stay', () => {
    const options = { layout: 'gallery', pinnedId: undefined } as const;
    expect(names(choose(everybody, { ...options, speakers: ['kim', 'bob'] }))).toEqual([
      ...['ada-camera', 'bob-camera', 'eve-camera', 'kim-camera'],
    ]);
  });

  test('what the server does not send is not waited for', () => {
    const some = [camera('ada', false), camera('bob')];
    expect(names(choose(some, { layout: 'gallery', pinnedId: undefined, speakers: ['ada'] }))).toEqual([
      'bob-camera',
    ]);
  });
});

describe.each([
  { columns: 80, rows: 11 },
  { columns: 200, rows: 30 },
  { columns: 30, rows: 20 },
  { columns: 3, rows: 2 },
])('in $columns×$rows', (size) => {
  test.each([0, 1, 2, 3, 4])('%d tiles do not overlap and stay inside', (count) => {
    const tiles = placeTiles(count, { left: 0, top: 1, ...size }, { width: 10, height: 20 });
    expect(tiles).toHaveLength(count);
    const taken = new Set<string>();
    for (const { picture, label } of tiles) {
      for (const { left, top, columns, rows } of [picture, label])
        for (let y = top; y < top + rows; y += 1)
          for (let x = left; x < left + columns; x += 1) {
            expect(x).toBeLessThan(size.columns);
            if (size.rows > 4) expect(y).toBeLessThan(1 + size.rows);
            if (size.rows > 4) expect(taken.has(`${x},${y}`)).toBe(false);
            taken.add(`${x},${y}`);
          }
    }
  });
});

test('pictures keep their shape, whatever the cells', () => {
  for (const cell of [undefined, { width: 10, height: 20 }, { width: 9, height: 16 }]) {
    const [tile] = placeTiles(1, { left: 0, top: 0, columns: 200, rows: 30 }, cell);
    const { columns, rows } = tile!.picture;
    const aspect = (columns * (cell?.width ?? 1)) / (rows * (cell?.height ?? 2));
    expect(Math.abs(aspect - 16 / 9)).toBeLessThan(0.1);
  }
});

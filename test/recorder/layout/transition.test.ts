import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arrange } from '../../../src/recorder/layout/arrange.ts';
import { Transition } from '../../../src/recorder/layout/transition.ts';
import type { Scene } from '../../../src/recorder/layout/types.ts';
import { anyScene, people } from './scenes.ts';

const HD = { width: 1280, height: 720 };
const of = (count: number, more: Partial<Scene> = {}) =>
  arrange({ layout: 'gallery', people: people(count), speakers: [], ...more }, HD);

test('the first tiles are in their places at once', () => {
  const transition = new Transition();
  transition.to(of(4), 1_000);
  expect(transition.at(1_000)).toEqual(of(4));
  expect(transition.isMoving(1_000)).toBe(false);
});

test('who comes grows and fades in within 400 ms while the others move', () => {
  const transition = new Transition();
  transition.to(of(1), 0);
  transition.to(of(2), 1_000);
  expect(transition.at(1_000)).toHaveLength(1);
  const [stays, comes] = transition.at(1_200);
  expect(comes!.opacity).toBeCloseTo(0.5);
  expect(comes!.rect.width).toBeLessThan(of(2)[1]!.rect.width);
  expect(stays!.rect.width).toBeLessThan(1280);
  expect(stays!.rect.width).toBeGreaterThan(of(2)[0]!.rect.width);
  expect(transition.at(1_400)).toEqual(of(2));
  expect(transition.isMoving(1_399)).toBe(true);
  expect(transition.isMoving(1_400)).toBe(false);
});

test('who goes shrinks and fades out under the others', () => {
  const transition = new Transition();
  transition.to(of(3), 0);
  transition.to(of(2), 1_000);
  const [goes, ...stay] = transition.at(1_200);
  expect(goes).toMatchObject({ participantId: 'p2', z: -1 });
  expect(goes!.opacity).toBeCloseTo(0.5);
  expect(goes!.rect.width).toBeLessThan(of(3)[2]!.rect.width);
  expect(stay.map(({ opacity }) => opacity)).toEqual([1, 1]);
  expect(transition.at(1_400)).toEqual(of(2));
});

test('who comes back on the way out turns around where it is', () => {
  const transition = new Transition();
  transition.to(of(3), 0);
  transition.to(of(2), 1_000);
  const before = transition.at(1_200).find(({ participantId }) => participantId === 'p2')!;
  transition.to(of(3), 1_200);
  const after = transition.at(1_200).find(({ participantId }) => participantId === 'p2')!;
  expect(after).toMatchObject({ rect: before.rect, opacity: before.opacity });
  expect(transition.at(1_600)).toEqual(of(3));
});

test('what changes in a tile shows at once and moves nothing', () => {
  const transition = new Transition();
  transition.to(of(2), 0);
  transition.to(of(2, { people: people(2, { speaking: true }) }), 1_000);
  expect(transition.at(1_000)[0]).toMatchObject({ speaking: true, rect: of(2)[0]!.rect });
  expect(transition.isMoving(1_000)).toBe(false);
});

test('whatever happens when, no tile jumps, leaves the picture or has odd sides', () => {
  const steps = fc.array(fc.tuple(anyScene, fc.integer({ min: 0, max: 600 })), {
    minLength: 1,
    maxLength: 6,
  });
  fc.assert(
    fc.property(steps, (scenes) => {
      const transition = new Transition();
      let nowMs = 0;
      for (const [scene, waitMs] of scenes) {
        const before = new Map(transition.at(nowMs).map((tile) => [tile.key, tile]));
        const first = before.size === 0;
        transition.to(arrange(scene, HD), nowMs);
        for (const { key, rect, opacity } of transition.at(nowMs)) {
          const earlier = before.get(key);
          if (earlier) expect({ rect, opacity }).toEqual({ rect: earlier.rect, opacity: earlier.opacity });
          else if (!first) expect(opacity).toBe(0);
        }
        for (const { rect } of transition.at(nowMs + waitMs)) {
          const sides = [rect.x, rect.y, rect.width, rect.height];
          expect(sides.every((side) => side >= 0 && side % 2 === 0)).toBe(true);
          expect(rect.x + rect.width).toBeLessThanOrEqual(1280);
          expect(rect.y + rect.height).toBeLessThanOrEqual(720);
        }
        nowMs += waitMs;
      }
      expect(transition.at(nowMs + 400)).toEqual(
        arrange(scenes.at(-1)![0], HD).toSorted((a, b) => a.z - b.z),
      );
    }),
  );
});

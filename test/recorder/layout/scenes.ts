/** Scenes for tests of the layouts. */
import fc from 'fast-check';
import type { Scene, ScenePerson } from '../../../src/recorder/layout/types.ts';

/** A participant `p<number>`. */
export function person(number: number, more: Partial<ScenePerson> = {}): ScenePerson {
  const id = `p${number}`;
  return { id, name: `Person ${number}`, role: 'participant', muted: false, speaking: false, ...more };
}

export function people(count: number, more: Partial<ScenePerson> = {}): ScenePerson[] {
  return Array.from({ length: count }, (_, index) => person(index, { video: `v${index}`, ...more }));
}

export const anyScene: fc.Arbitrary<Scene> = fc
  .record({
    layout: fc.constantFrom('gallery' as const, 'speaker' as const, 'spotlight' as const),
    videos: fc.array(fc.boolean(), { maxLength: 60 }),
    screens: fc.array(fc.nat(59), { maxLength: 2 }),
    speakers: fc.uniqueArray(fc.nat(70), { maxLength: 4 }),
    pinned: fc.option(fc.nat(70), { nil: undefined }),
  })
  .map(({ layout, videos, screens, speakers, pinned }) => ({
    layout,
    people: videos.map((on, index) =>
      person(index, {
        ...(on ? { video: `v${index}` } : {}),
        ...(screens.includes(index) ? { screen: `s${index}` } : {}),
      }),
    ),
    speakers: speakers.map((number) => `p${number}`),
    ...(pinned === undefined ? {} : { pinned: `p${pinned}` }),
  }));

export const anySize = fc
  .record({ width: fc.integer({ min: 80, max: 1_920 }), height: fc.integer({ min: 45, max: 1_080 }) })
  .map(({ width, height }) => ({ width: 2 * width, height: 2 * height }));

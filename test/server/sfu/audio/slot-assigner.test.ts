import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HOLD_MS,
  RELEASE_MS,
  SlotAssigner,
  TENURE_MS,
} from '../../../../src/server/sfu/audio/slot-assigner.ts';

const PACKET_MS = 20;
const QUIET = -127;

/** Everybody sends a packet each 20 ms; gives the occupants after each. */
function run(
  assigner: SlotAssigner,
  from: number,
  to: number,
  levels: (now: number) => Record<string, number>,
) {
  const changes: { at: number; occupants: (string | undefined)[] }[] = [];
  let before = assigner.occupants.join();
  for (let now = from; now < to; now += PACKET_MS) {
    for (const [id, level] of Object.entries(levels(now))) assigner.packet(id, level, now);
    const occupants = assigner.occupants;
    if (occupants.join() !== before) changes.push({ at: now, occupants });
    before = occupants.join();
  }
  return changes;
}

describe('a slot', () => {
  test('is taken with the first sound while one is free', () => {
    const assigner = new SlotAssigner(4);
    expect(assigner.packet('ann', QUIET, 0)).toBeUndefined();
    expect(assigner.packet('ann', -65, 20)).toBe(0);
    expect(assigner.packet('bob', -30, 20)).toBe(1);
    expect(assigner.packet('ann', QUIET, 40)).toBe(0);
    expect(assigner.occupants).toEqual(['ann', 'bob', undefined, undefined]);
  });

  test('is taken with the first voiced packet from one who only hums', () => {
    const assigner = new SlotAssigner(4);
    const hum = { a: -60, b: -60, c: -60, d: -60 };
    run(assigner, 0, 1_000, () => hum);
    expect(run(assigner, 1_000, 3_000, (now) => ({ ...hum, eve: now < 2_000 ? QUIET : -35 }))).toEqual([
      { at: 2_000, occupants: ['eve', 'b', 'c', 'd'] },
    ]);
  });

  test('survives the pauses between words, not longer ones when another begins', () => {
    const assigner = new SlotAssigner(1);
    run(assigner, 0, 1_000, () => ({ ann: -30 }));
    expect(assigner.packet('bob', -30, 1_000 + HOLD_MS / 2)).toBeUndefined();
    expect(assigner.packet('bob', -30, 980 + HOLD_MS)).toBe(0);
  });

  test('is given up after five seconds of silence', () => {
    const assigner = new SlotAssigner(4);
    assigner.packet('ann', -30, 0);
    expect(assigner.expire(RELEASE_MS - 1)).toBe(false);
    expect(assigner.expire(RELEASE_MS)).toBe(true);
    expect(assigner.occupants).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('is free at once when its occupant is muted, and the one free for longest is taken first', () => {
    const assigner = new SlotAssigner(2);
    assigner.packet('ann', -30, 0);
    assigner.packet('bob', -30, 0);
    expect(assigner.remove('bob', 10)).toBe(true);
    expect(assigner.remove('ann', 20)).toBe(true);
    expect(assigner.remove('ann', 20)).toBe(false);
    expect(assigner.packet('cid', -30, 30)).toBe(1);
  });

  test('of a screen is not taken by voices', () => {
    const assigner = new SlotAssigner(1);
    for (let now = 0; now < 5_000; now += PACKET_MS) assigner.packet('film', -65, now, true);
    expect(run(assigner, 5_000, 5_100, () => ({ ann: -20 }))).toEqual([]);
    expect(run(assigner, 5_100, 12_000, () => ({ ann: -20 })).at(0)?.at).toBeGreaterThan(RELEASE_MS);
  });
});

describe('five at once', () => {
  test('the fifth comes in when twice as loud for half a second, in the place of the quietest', () => {
    const assigner = new SlotAssigner(4);
    const four = { a: -30, b: -30, c: -42, d: -30 };
    run(assigner, 0, 3_000, () => four);
    const changes = run(assigner, 3_000, 6_000, () => ({ ...four, eve: -30 }));
    expect(changes).toHaveLength(1);
    expect(changes[0]!.occupants).toEqual(['a', 'b', 'eve', 'd']);
    expect(changes[0]!.at).toBeGreaterThan(3_400);
    expect(changes[0]!.at).toBeLessThan(4_000);
  });

  test('as loud as one another never take slots from each other', () => {
    const jitter = fc.array(fc.integer({ min: -8, max: 8 }), { minLength: 1_000, maxLength: 1_000 });
    fc.assert(
      fc.property(jitter, (noise) => {
        const assigner = new SlotAssigner(4);
        let i = 0;
        const changes = run(assigner, 0, 4_000, () =>
          Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((id) => [id, -30 + noise[i++ % noise.length]!])),
        );
        expect(changes).toHaveLength(1);
      }),
    );
  });

  test('a talker keeps a slot that was taken in a full house for its tenure, whatever happens', () => {
    const level = fc.integer({ min: -49, max: -10 });
    fc.assert(
      fc.property(
        fc.array(fc.array(level, { minLength: 7, maxLength: 7 }), { minLength: 60, maxLength: 60 }),
        (rows) => {
          const assigner = new SlotAssigner(4);
          const taken = new Map<string, number>();
          let before: (string | undefined)[] = [];
          for (let now = 0; now < 12_000; now += PACKET_MS) {
            for (const [id, each] of rows[Math.floor(now / 200)]!.entries())
              assigner.packet(`p${id}`, each, now);
            const { occupants } = assigner;
            for (const id of before) {
              if (id !== undefined && !occupants.includes(id)) {
                expect(now - taken.get(id)!).toBeGreaterThanOrEqual(TENURE_MS);
              }
            }
            for (const id of occupants) if (id !== undefined && !before.includes(id)) taken.set(id, now);
            expect(new Set(occupants.filter((id) => id !== undefined)).size).toBe(4);
            before = occupants;
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

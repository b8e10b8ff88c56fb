import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  HANDOVER_MS,
  KEEP_MS,
  MAX_SPEAKERS,
  SpeakerDetector,
  SUSTAIN_MS,
} from '../../../../src/server/sfu/audio/speaker-detector.ts';

/** The window moves this far from one report to the next. */
const STEP_MS = 100;

/** Runs a conversation: who is how loud when; gives every change with its time. */
function run(durationMs: number, levels: (now: number) => Partial<Record<string, number>>) {
  const detector = new SpeakerDetector();
  const changes: { at: number; speakers: readonly string[] }[] = [];
  for (let now = 0; now <= durationMs; now += STEP_MS) {
    if (detector.report(new Map(Object.entries(levels(now) as Record<string, number>)), now)) {
      changes.push({ at: now, speakers: detector.speakers });
    }
  }
  return { detector, changes, leads: changes.map(({ speakers }) => speakers[0]) };
}

describe('the list of speakers', () => {
  test('takes two seconds of talk, pauses between words included', () => {
    const words = (now: number) => (now % 1_000 < 600 ? { ann: -30 } : {});
    expect(run(5_000, words).changes).toEqual([{ at: SUSTAIN_MS, speakers: ['ann'] }]);
  });

  test('does not take a cough, a door or a typist', () => {
    expect(run(5_000, (now) => (now < 1_900 ? { ann: -20 } : {})).changes).toEqual([]);
    expect(run(20_000, (now) => (now % 1_000 < 200 ? { ann: -20 } : {})).changes).toEqual([]);
    expect(run(20_000, () => ({ ann: -55 })).changes).toEqual([]);
  });

  test('gives the first place to who talks on when the active speaker has stopped', () => {
    const { changes } = run(12_000, (now) => (now < 5_000 ? { ann: -30 } : { bob: -30 }));
    expect(changes).toEqual([
      { at: 2_000, speakers: ['ann'] },
      { at: 7_000, speakers: ['bob', 'ann'] },
    ]);
  });

  test('hands over a second after the end to one who has talked beside', () => {
    const { changes } = run(10_000, (now) => (now < 6_000 ? { ann: -30, bob: -32 } : { bob: -32 }));
    expect(changes.at(-1)).toEqual({ at: 5_900 + HANDOVER_MS, speakers: ['bob', 'ann'] });
  });

  test('lets one who is twice as loud for two seconds talk the active speaker down', () => {
    const { changes } = run(12_000, (now) => ({ ann: -40, ...(now >= 4_000 ? { bob: -30 } : {}) }));
    expect(changes.at(-1)!.speakers).toEqual(['bob', 'ann']);
    expect(changes.at(-1)!.at).toBeGreaterThanOrEqual(6_000);
  });

  test('keeps the last speaker through a long pause, and then is empty', () => {
    const { changes } = run(30_000, (now) => (now <= 3_000 ? { ann: -30 } : {}));
    expect(changes).toEqual([
      { at: 2_000, speakers: ['ann'] },
      { at: 3_000 + KEEP_MS, speakers: [] },
    ]);
  });

  test('has four places; the fifth takes that of the one who is silent longest', () => {
    const { changes } = run(11_500, (now) => {
      const who = ['ann', 'bob', 'cid', 'dan', 'eve'][Math.min(4, Math.floor(now / 2_200))]!;
      return { [who]: -30 };
    });
    expect(changes.at(-1)!.speakers).toEqual(['eve', 'dan', 'cid', 'bob']);
  });

  test('drops who is muted at once', () => {
    const { detector } = run(5_000, () => ({ ann: -30, bob: -33 }));
    expect(detector.speakers).toEqual(['ann', 'bob']);
    expect(detector.remove('ann')).toBe(true);
    expect(detector.speakers).toEqual(['bob']);
    expect(detector.remove('ann')).toBe(false);
    expect(detector.remove('bob')).toBe(true);
    expect(detector.idle).toBe(true);
  });
});

describe('whoever talks how', () => {
  test('two who talk at once, as loud as each other, do not flap', () => {
    const noise = fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 400, maxLength: 400 });
    fc.assert(
      fc.property(noise, noise, fc.integer({ min: -38, max: -20 }), (a, b, level) => {
        const { leads } = run(19_900, (now) => ({
          ann: level + a[now / STEP_MS]!,
          bob: level + b[now / STEP_MS]!,
        }));
        expect(leads.filter((lead, i) => i > 0 && lead !== leads[i - 1])).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  test('the first place never changes twice in two seconds, nobody is in who did not talk, and silence empties', () => {
    const talk = fc.array(
      fc.record({
        who: fc.constantFrom('ann', 'bob', 'cid', 'dan', 'eve', 'fay'),
        from: fc.integer({ min: 0, max: 400 }),
        steps: fc.integer({ min: 1, max: 80 }),
        level: fc.integer({ min: -70, max: -10 }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(talk, (talks) => {
        const spoken = (who: string, now: number) =>
          talks.filter(
            (each) =>
              each.who === who && now / STEP_MS >= each.from && now / STEP_MS < each.from + each.steps,
          );
        const { changes } = run(80_000, (now) =>
          Object.fromEntries(
            talks.flatMap(({ who }) => {
              const loudest = Math.max(...spoken(who, now).map(({ level }) => level));
              return Number.isFinite(loudest) ? [[who, loudest]] : [];
            }),
          ),
        );
        let lead: { who: string | undefined; at: number } = { who: undefined, at: -Infinity };
        for (const { at, speakers } of changes) {
          expect(speakers.length).toBeLessThanOrEqual(MAX_SPEAKERS);
          expect(new Set(speakers).size).toBe(speakers.length);
          for (const who of speakers) {
            let last = at;
            while (last >= 0 && !spoken(who, last).some(({ level }) => level >= -50)) last -= STEP_MS;
            expect(at - last).toBeLessThan(KEEP_MS);
          }
          const who = speakers[0];
          const taken =
            lead.who !== undefined && who !== undefined && who !== lead.who && speakers.includes(lead.who);
          if (taken) expect(at - lead.at).toBeGreaterThanOrEqual(SUSTAIN_MS);
          if (who !== lead.who) lead = { who, at };
        }
        expect(changes.at(-1)?.speakers ?? []).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

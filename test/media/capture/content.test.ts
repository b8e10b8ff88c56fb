import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ContentDetector, changedShare } from '../../../src/media/capture/content.ts';

/** What the detector says after each of these looks. */
function looks(shares: readonly number[], detector = new ContentDetector()): string[] {
  return shares.map((share) => detector.look(share));
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);
/** Looks in a second. */
const SECOND = 10;

describe('the share of changed cells', () => {
  test('counts cells, not shades', () => {
    const before = Uint8Array.of(0, 100, 200, 255);
    expect(changedShare(before, before)).toBe(0);
    expect(changedShare(before, Uint8Array.of(0, 100, 250, 255))).toBe(0.25);
    expect(changedShare(before, Uint8Array.of(1, 101, 201, 254))).toBe(0);
    expect(changedShare(new Uint8Array(), new Uint8Array())).toBe(0);
  });
});

describe('content is', () => {
  test('detail from the start', () => {
    expect(new ContentDetector().content).toBe('detail');
  });

  test('motion within a second of a film, and detail again when it stands still', () => {
    const detector = new ContentDetector();
    expect(looks(times(SECOND - 1, 0.3), detector).at(-1)).toBe('motion');
    expect(looks(times(5 * SECOND, 0.3), detector)).not.toContain('detail');
    expect(looks(times(SECOND - 1, 0), detector).at(-1)).toBe('detail');
  });

  test('detail while pages are turned, text is typed and a cursor blinks', () => {
    const pages = times(10, [0.6, ...times(9, 0)]).flat();
    const typing = times(100, 0.001);
    const blinking = times(20, [0.0005, 0, 0, 0, 0]).flat();
    for (const shares of [pages, typing, blinking]) expect(looks(shares)).not.toContain('motion');
  });

  test('motion in spite of a pause between two scenes of a film', () => {
    const detector = new ContentDetector();
    looks(times(30, 0.2), detector);
    expect(looks([...times(5, 0), ...times(20, 0.2)], detector)).not.toContain('detail');
  });

  test('never flapping: no more than one change each way in two seconds, whatever moves', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 0.005, 0.02, 0.5), { maxLength: 400 }), (shares) => {
        const said = looks(shares);
        const changes = said.flatMap((content, i) => (content !== (said[i - 1] ?? 'detail') ? [i] : []));
        for (let i = 2; i < changes.length; i += 1) {
          expect(changes[i]! - changes[i - 2]!).toBeGreaterThanOrEqual(2 * SECOND);
        }
      }),
    );
  });

  test('decided within a second of any steady behaviour', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(0, 0.3), { maxLength: 60 }),
        fc.constantFrom('detail', 'motion'),
        (history, then) => {
          const detector = new ContentDetector();
          looks(history, detector);
          const shares = times(then === 'motion' ? SECOND - 1 : 3 * SECOND, then === 'motion' ? 0.3 : 0);
          expect(looks(shares, detector).at(-1)).toBe(then);
        },
      ),
    );
  });
});

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Cadence } from '../../../src/media/capture/cadence.ts';
import type { Content } from '../../../src/media/capture/content.ts';

/** Runs captures at a rate against a cadence; gives when pictures were sent. */
function run(content: Content, changesMs: readonly number[], untilMs: number, stepMs = 1_000 / 30): number[] {
  const cadence = new Cadence({ frameRate: 30 });
  const sent: number[] = [];
  const changes = [...changesMs];
  for (let now = 0; now <= untilMs; now += stepMs) {
    while (changes[0] !== undefined && changes[0] <= now) {
      changes.shift();
      cadence.changed(now);
    }
    if (cadence.dueMs(content) <= now) {
      sent.push(now);
      cadence.sent(now);
    }
  }
  return sent;
}

const every = (ms: number, untilMs: number) =>
  Array.from({ length: Math.floor(untilMs / ms) }, (_, i) => i * ms);
const within = (times: readonly number[], from: number, to: number) =>
  times.filter((time) => time >= from && time < to).length;

describe('detail', () => {
  test('sends the first change of a still picture with the capture that shows it', () => {
    const sent = run('detail', [0, 5_000], 6_000);
    expect(sent.find((time) => time >= 5_000)).toBeLessThan(5_000 + 40);
  });

  test('sends no more than five pictures a second of sustained change', () => {
    const sent = run('detail', every(33, 10_000), 10_000);
    expect(within(sent, 2_000, 10_000)).toBeLessThanOrEqual(8 * 5 + 1);
    expect(within(sent, 2_000, 10_000)).toBeGreaterThanOrEqual(8 * 5 - 1);
  });

  test('lets three changes through at once for who types or turns pages', () => {
    const changes = [5_000, 5_080, 5_160];
    const sent = run('detail', [0, ...changes], 6_000);
    for (const change of changes) {
      expect(sent.some((time) => time >= change && time < change + 40)).toBe(true);
    }
  });

  test('refines for a second after a change, and then repeats once a second', () => {
    const sent = run('detail', [0, 5_000], 12_000);
    expect(within(sent, 5_000, 6_050)).toBeGreaterThanOrEqual(5);
    expect(within(sent, 7_000, 12_000)).toBeLessThanOrEqual(6);
  });
});

describe('motion', () => {
  test('sends every change up to the rate, and does not refine', () => {
    expect(within(run('motion', every(1_000 / 30, 4_000), 4_000), 1_000, 3_000)).toBeGreaterThanOrEqual(58);
    expect(within(run('motion', [0], 6_000), 1_500, 5_500)).toBeLessThanOrEqual(5);
  });
});

test('no layer is ever silent for longer than the server waits', () => {
  fc.assert(
    fc.property(
      fc.constantFrom<Content>('detail', 'motion'),
      fc.array(fc.integer({ min: 0, max: 10_000 }), { maxLength: 60 }),
      (content, changes) => {
        const sent = run(
          content,
          changes.sort((a, b) => a - b),
          12_000,
        );
        expect(sent[0]).toBe(0);
        for (let i = 1; i < sent.length; i += 1) expect(sent[i]! - sent[i - 1]!).toBeLessThan(1_100);
      },
    ),
  );
});

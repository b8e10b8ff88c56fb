import { describe, expect, test } from 'vitest';
import {
  BUDGET_PACKETS_PER_SECOND,
  FLOOD_REVIEWS,
  MAX_RATE,
  TapBudget,
} from '../../../../src/server/sfu/audio/tap-budget.ts';

/** Participants by the packets that they send in a second. */
function second(budget: TapBudget, rates: Record<string, number>, parked: ReadonlySet<string>): number {
  let seen = 0;
  for (const [id, rate] of Object.entries(rates)) {
    if (parked.has(id)) continue;
    for (let i = 0; i < rate; i++) budget.packet(id);
    seen += rate;
  }
  return seen;
}

describe('the budget of packets', () => {
  test('leaves three hundred on DTX alone', () => {
    const budget = new TapBudget(0);
    const rates = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, 3]));
    for (const id of Object.keys(rates)) budget.add(id);
    expect(second(budget, rates, new Set())).toBe(900);
    expect(budget.review(1_000, () => 0)).toEqual([]);
  });

  test('parks those of three hundred constant senders who have not talked for longest', () => {
    const budget = new TapBudget(0);
    const rates = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`p${i}`, 50]));
    for (const id of Object.keys(rates)) budget.add(id);
    const parked = new Set<string>();
    const voicedAt = (id: string) => (id === 'p0' ? Infinity : Number(id.slice(1)));
    second(budget, rates, parked);
    for (const id of budget.review(1_000, voicedAt)) parked.add(id);
    expect(second(budget, rates, parked)).toBe(BUDGET_PACKETS_PER_SECOND);
    expect(budget.review(2_000, voicedAt)).toEqual([]);
    expect([...(rates.p0 ? ['p0'] : []), 'p299', 'p281'].filter((id) => parked.has(id))).toEqual([]);
    // One of them talks: he is looked at at once, and another is parked at the next review.
    expect(budget.wake('p1')).toBe(true);
    expect(budget.wake('p1')).toBe(false);
    parked.delete('p1');
    second(budget, rates, parked);
    expect(budget.review(3_000, (id) => (id === 'p1' ? 1_000 : voicedAt(id)))).toEqual(['p281']);
  });

  test('is not overrun by many who begin at once', () => {
    const budget = new TapBudget(0);
    const ids = Array.from({ length: 300 }, (_, i) => `p${i}`);
    for (const id of ids) budget.add(id);
    second(budget, Object.fromEntries(ids.map((id) => [id, 50])), new Set());
    budget.review(1_000, () => 0);
    expect(ids.filter((id) => budget.wake(id))).toHaveLength(10);
  });

  test('shuts out who floods, for a while', () => {
    const budget = new TapBudget(0);
    budget.add('flood');
    const verdicts = Array.from({ length: MAX_RATE + 50 }, () => budget.packet('flood'));
    expect(verdicts.indexOf(true)).toBe(MAX_RATE);
    expect(verdicts.filter(Boolean)).toHaveLength(1);
    for (let review = 1; review < FLOOD_REVIEWS; review++) {
      budget.review(review * 1_000, () => 0);
      expect(budget.wake('flood')).toBe(false);
    }
    budget.review(FLOOD_REVIEWS * 1_000, () => 0);
    expect(budget.wake('flood')).toBe(true);
  });

  test('forgets who leaves, and does not park slow senders or those with a slot', () => {
    const budget = new TapBudget(0);
    for (const id of ['slow', 'slot-a', 'slot-b', 'gone', 'p']) budget.add(id);
    second(budget, { slow: 39, 'slot-a': 450, 'slot-b': 450, gone: 50, p: 150 }, new Set());
    budget.remove('gone');
    budget.packet('gone');
    expect(budget.review(1_000, (id) => (id.startsWith('slot') ? Infinity : 0))).toEqual(['p']);
    expect(budget.wake('gone')).toBe(false);
  });
});

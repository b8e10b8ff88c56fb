import { expect, test } from 'vitest';
import { speaks } from '../../../src/load/media/speech.ts';

const everybody = (plan: Parameters<typeof speaks>[0], atMs: number) =>
  Array.from({ length: plan.publishers }, (_, index) => index).filter((index) => speaks(plan, index, atMs));

test('as many speak as are to, and the turn goes round: one stops, another begins', () => {
  const plan = { publishers: 7, speakers: 3, seed: 5 };
  const turns = Array.from({ length: 14 }, (_, turn) => everybody(plan, turn * 4_000 + 10));
  for (const [index, turn] of turns.entries()) {
    expect(turn).toHaveLength(3);
    const next = turns[(index + 1) % 14]!;
    expect(next.filter((speaker) => turn.includes(speaker))).toHaveLength(2);
  }
  expect(new Set(turns.flat()).size).toBe(7);
  expect(turns[0]).toEqual(turns[7]);
});

test('the seed decides the order, and the same one decides the same', () => {
  const order = (seed: number) =>
    Array.from({ length: 9 }, (_, turn) =>
      everybody({ publishers: 9, speakers: 1, seed }, turn * 4_000),
    ).join();
  expect(order(1)).toBe(order(1));
  expect(order(1)).not.toBe(order(2));
});

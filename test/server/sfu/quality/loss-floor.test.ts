import { describe, expect, test } from 'vitest';
import { LossFloor } from '../../../../src/server/sfu/quality/loss-floor.ts';

const TICK_MS = 100;

describe('the estimate under loss', () => {
  function simulate() {
    const floor = new LossFloor(3_000_000);
    let nowMs = 0;
    return (durationMs: number, estimate: number, loss: number): number => {
      let held = 0;
      for (const end = nowMs + durationMs; nowMs < end; nowMs += TICK_MS)
        held = floor.update(nowMs, estimate, loss);
      return held;
    };
  }

  test('is held at what it was before a loss that stays', () => {
    const run = simulate();
    expect(run(10_000, 2_500_000, 0)).toBe(0);
    expect(run(3_500, 1_000_000, 0.15)).toBe(0);
    expect(run(1_000, 400_000, 0.15)).toBe(2_500_000);
    expect(run(60_000, 2_500_000, 0.16)).toBe(2_500_000);
    expect(run(1_500, 2_500_000, 0.02)).toBe(2_500_000);
    expect(run(1_000, 2_500_000, 0.02)).toBe(0);
  });

  test('is not held for the loss of a link that became narrow', () => {
    const run = simulate();
    run(10_000, 2_500_000, 0);
    expect(run(2_500, 900_000, 0.3)).toBe(0);
    expect(run(10_000, 900_000, 0)).toBe(0);
  });

  test('is let go when more is lost than before', () => {
    const run = simulate();
    run(10_000, 2_500_000, 0);
    expect(run(5_000, 400_000, 0.12)).toBe(2_500_000);
    expect(run(2_000, 2_500_000, 0.25)).toBe(0);
    expect(run(20_000, 400_000, 0.15)).toBe(0);
    expect(run(20_000, 400_000, 0.15)).toBe(2_500_000);
  });

  test('is held at where it started for who loses packets from the start', () => {
    expect(simulate()(5_000, 400_000, 0.15)).toBe(3_000_000);
  });
});

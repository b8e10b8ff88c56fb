import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatWorkerProgress } from '../../../src/setup/index.ts';
import { NinjaProgress } from '../../../src/setup/worker/ninja-progress.ts';

describe('progress of the build', () => {
  test('comes from the status lines and nothing else', () => {
    const progress = new NinjaProgress(45);
    expect(progress.read('[1/36] Generating fbs/FBS/common.h')).toBe(true);
    expect(progress.read('ninja: Entering directory `out`')).toBe(false);
    expect(progress.read('warning: array[3/4] is odd')).toBe(false);
    expect(progress.read('[7/36] Building CXX object a.o')).toBe(true);
    expect([progress.done, progress.total]).toEqual([7, 36]);
  });

  test('estimates the time left, more and more from the speed so far', () => {
    let now = 0;
    const progress = new NinjaProgress(40, () => now);
    expect(progress.etaSeconds).toBeUndefined();
    progress.read('[0/40] x');
    expect(progress.etaSeconds).toBe(40);
    // Twice as slow as expected.
    now = 40_000;
    progress.read('[20/40] x');
    expect(progress.etaSeconds).toBe(30);
    now = 76_000;
    progress.read('[38/40] x');
    expect(progress.etaSeconds).toBe(4);
    now = 80_000;
    progress.read('[40/40] x');
    expect(progress.etaSeconds).toBe(0);
  });

  test('never goes back or beyond its end, whatever is printed', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(50))), (lines) => {
        const progress = new NinjaProgress(45);
        let last = 0;
        for (const [done, total] of lines) {
          progress.read(`[${done}/${total}] x`);
          expect(progress.done).toBeGreaterThanOrEqual(last);
          expect(progress.done).toBeLessThanOrEqual(Math.max(progress.total, 0));
          last = progress.done;
        }
      }),
    );
  });

  test('is one line with a bar, a count and the time left', () => {
    const line = formatWorkerProgress({
      phase: 'compile',
      done: 9,
      total: 36,
      etaSeconds: 40,
      message: 'building the SFU worker',
    });
    expect(line).toBe('building the SFU worker ━━━━━━────────────────── 9/36 · 40 s left');
    expect(formatWorkerProgress({ phase: 'configure', done: 0, total: 0, message: 'configuring' })).toBe(
      'configuring',
    );
  });
});

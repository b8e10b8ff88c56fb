import { expect, test } from 'vitest';
import { BotFigures } from '../../../src/load/bot/figures.ts';
import { Watch } from '../../../src/load/bot/watch.ts';
import { Tally } from '../../../src/load/measure/tally.ts';

const TICKS_PER_MS = 90;

function watching() {
  const tally = new Tally();
  const figures = new BotFigures(1, false, tally);
  const watch = new Watch({ kind: 'video', clockRate: 90_000, figures, onFirst: () => {} });
  return { watch, counters: tally.counters, durations: tally.durations };
}

/** Frames of 40 ms, each shown at the time given for it. */
function show(watch: Watch, times: readonly number[], follows = true): void {
  times.forEach((atMs, index) => {
    watch.frame(atMs, index * 40 * TICKS_PER_MS, atMs - 5, follows);
  });
}

test('a picture that comes up to 200 ms late is none that stood still', () => {
  const { watch, counters } = watching();
  show(watch, [0, 40, 80, 315, 320]);
  expect(counters.freezes).toBe(0);
  expect(counters.frames).toBe(5);
});

test('a picture that comes later is one, for as long as it was late', () => {
  const { watch, counters, durations } = watching();
  show(watch, [0, 40, 80, 620, 621, 622]);
  expect(counters.freezes).toBe(1);
  expect(counters.frozenMs).toBe(500);
  expect(durations.freeze.maxMs).toBeCloseTo(500, 0);
});

test('a sender that paused by its own clock is not late', () => {
  const { watch, counters } = watching();
  watch.frame(0, 0, undefined, true);
  watch.frame(2_000, 2_000 * TICKS_PER_MS, undefined, true);
  expect(counters.freezes).toBe(0);
});

test('pictures that were lost in between are a picture that stands still', () => {
  const { watch, counters } = watching();
  show(watch, [0, 40, 80]);
  watch.frame(1_080, 1_080 * TICKS_PER_MS, undefined, false);
  expect(counters.frozenMs).toBe(960);
});

test('what the server holds back by its own word is counted apart', () => {
  const { watch, counters } = watching();
  show(watch, [0, 40]);
  watch.setHeldBack(true, 50);
  watch.frame(3_050, 3_050 * TICKS_PER_MS, undefined, false);
  expect(counters.freezes).toBe(0);
  expect(counters.heldBackMs).toBe(3_000);
});

test('a picture that is still waited for at the end has stood still until then', () => {
  const { watch, counters } = watching();
  show(watch, [0, 40]);
  watch.end(1_080, true);
  expect(counters.frozenMs).toBe(1_000);
  expect(counters.watchedMs).toBe(1_080);
});

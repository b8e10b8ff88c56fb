import { expect, test } from 'vitest';
import { level, mixed, random, type Source } from './voices.ts';

/** Milliseconds by which each pulse of 10 ms, one a second, is heard later than it was made. */
function pulseErrors(seconds: number, source: Omit<Source, 'sound'>): number[] {
  const { ppm = 0 } = source;
  const sound = (sample: number) => {
    const ms = ((sample / 48 / (1 + ppm * 1e-6)) % 1000) - 500;
    return ms >= 0 && ms < 10 ? 0.5 * Math.sin((2 * Math.PI * ms) / 2) : 0;
  };
  const mix = mixed(seconds, [{ ...source, sound, kind: 'program' }]);
  return Array.from({ length: seconds - 1 }, (_, second) => {
    // The centre of the pulse's energy is 5 ms after its beginning.
    let sum = 0;
    let moment = 0;
    for (let i = second * 48_000 + 20_000; i < second * 48_000 + 28_480; i += 1) {
      const energy = mix[2 * i]! ** 2;
      sum += energy;
      moment += energy * (i / 48 - second * 1000 - 505);
    }
    return moment / sum;
  });
}

test.each([
  [600, 200],
  [120, -500],
])(
  '%i seconds of a sender %i ppm off',
  (seconds, ppm) => {
    const errors = pulseErrors(seconds, { ppm });
    expect(Math.max(...errors.map(Math.abs))).toBeLessThan(5);
    expect(Math.max(...errors.slice(10).map(Math.abs))).toBeLessThan(0.5);
  },
  180_000,
);

test('times that scatter move nothing that could be heard', () => {
  const next = random(3);
  const errors = pulseErrors(30, { ppm: 100, jitterMs: () => 8 * next() - 4 });
  expect(Math.max(...errors.slice(3).map(Math.abs))).toBeLessThan(3);
});

test('a steady tone has no clicks, whatever its clock', () => {
  const next = random(5);
  const tone = (sample: number) => 0.2 * Math.sin((2 * Math.PI * 1_000 * sample) / 48_000);
  const mix = mixed(20, [{ sound: tone, ppm: 300, jitterMs: () => 2 * next() - 1, kind: 'program' }]);
  // Against the wave that its neighbours make: x[i-1] + x[i+1] = 2 cos(w) x[i] for a tone of constant level.
  const factor = 2 * Math.cos((2 * Math.PI * 1_000) / 48_000);
  let worst = 0;
  for (let i = 3 * 48_000; i < 19 * 48_000; i += 1) {
    worst = Math.max(worst, Math.abs(mix[2 * i - 2]! + mix[2 * i + 2]! - factor * mix[2 * i]!));
  }
  const peak = mix.subarray(2 * 3 * 48_000).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  expect(peak).toBeGreaterThan(3_000);
  // Rounding to 16 bits alone gives 2.
  expect(worst).toBeLessThan(peak / 1_000 + 4);
});

test('packets that never come stall nothing, and a stream that begins again is heard at its time', () => {
  const tone = (sample: number) => 0.1 * Math.sin((2 * Math.PI * 500 * sample) / 48_000);
  // Half a second is lost, and the sender is away from the fourth to the sixth second.
  const comes = (packet: number) => !(packet >= 50 && packet < 75) && !(packet >= 200 && packet < 300);
  const mix = mixed(9, [{ sound: tone, comes, kind: 'program' }]);
  expect(level(mix, 0.2, 1)).toBeGreaterThan(-40);
  expect(level(mix, 1.1, 1.4)).toBeLessThan(-80);
  expect(level(mix, 1.6, 3.9)).toBeGreaterThan(-40);
  expect(level(mix, 4.1, 5.9)).toBeLessThan(-80);
  expect(level(mix, 6.1, 8.9)).toBeGreaterThan(-40);
  // Nothing begins or ends with a click: no step is higher than those of the tone itself and a fade of 5 ms.
  const steps = mix.map((value, i) => (i < 2 ? 0 : Math.abs(value - mix[i - 2]!)));
  const usual = steps
    .subarray(2 * 48_000 * 2, 2 * 48_000 * 3)
    .reduce((most, step) => Math.max(most, step), 0);
  expect(steps.reduce((most, step) => Math.max(most, step), 0)).toBeLessThan(1.2 * usual);
});

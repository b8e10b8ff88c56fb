import { expect, test } from 'vitest';
import { type DriverWatch, selfCheck } from '../../../src/load/run/self-check.ts';

const fine = { cpu: 0.4, loopDelayP99Ms: 3, loopDelayMaxMs: 9, socketDrops: 0, rssBytes: 1e8 };
const watch = (change: Partial<DriverWatch>): DriverWatch => ({
  name: '1',
  health: Array.from({ length: 10 }, () => fine),
  expected: 100_000,
  clockErrorMs: 0,
  ...change,
});
const health = (bad: object, count: number) =>
  Array.from({ length: 10 }, (_, index) => (index < count ? { ...fine, ...bad } : fine));

test('a tester that keeps up is no reason to doubt', () => {
  expect(selfCheck([watch({})])).toEqual([]);
});

test.each([
  ['its core is used up', { health: health({ cpu: 0.99 }, 5) }, /used its whole core in 50 %/],
  ['its event loop is late', { health: health({ loopDelayP99Ms: 80 }, 4) }, /more than 50 ms late in 40 %/],
  ['its sockets overflowed', { health: health({ socketDrops: 50 }, 10) }, /dropped 50 of 100000 packets/],
  ['its clock is not known', { clockErrorMs: 30 }, /known to 30.0 ms only/],
  ['it ended', { ended: 'signal SIGKILL' }, /ended during the run: signal SIGKILL/],
])('the result is invalid when %s', (_, change, message) => {
  const [problem, ...others] = selfCheck([watch({}), watch({ name: '2', ...change })]);
  expect(problem).toMatch(message);
  expect(problem).toMatch(/driver 2/);
  expect(others).toEqual([]);
});

test('a single bad second is none', () => {
  expect(selfCheck([watch({ health: health({ cpu: 1.2, loopDelayP99Ms: 300 }, 1) })])).toEqual([]);
});

test('few drops among very many packets are none', () => {
  expect(selfCheck([watch({ health: health({ socketDrops: 5 }, 10) })])).toEqual([]);
});

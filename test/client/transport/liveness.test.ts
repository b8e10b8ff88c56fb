import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Liveness, LivenessMonitor } from '../../../src/client/transport/liveness.ts';

let monitor: LivenessMonitor;
let checks: number[];
let states: Liveness[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  [checks, states] = [[], []];
  monitor = new LivenessMonitor(
    () => checks.push(performance.now()),
    (state) => states.push(state),
  );
});
afterEach(() => {
  monitor.close();
  vi.useRealTimers();
});

/** Lets time pass, with what happens every 100 ms. */
function pass(ms: number, each: () => void = () => undefined): void {
  for (let passed = 0; passed < ms; passed += 100) {
    each();
    vi.advanceTimersByTime(100);
  }
}

const packet = (): void => {
  monitor.lastReceivedAt = performance.now();
};

test('while packets come consent is asked for every few seconds', () => {
  let answered = 0;
  pass(30_000, () => {
    packet();
    if (checks.length > answered) {
      answered = checks.length;
      monitor.answered();
    }
  });
  expect(checks.length).toBeGreaterThanOrEqual(4);
  expect(checks.length).toBeLessThanOrEqual(8);
  expect(states).toEqual([]);
});

test('silence is checked after half a second, and lost after two', () => {
  const startedAt = performance.now();
  pass(1900);
  expect(checks[0]! - startedAt).toBeLessThanOrEqual(750);
  expect(checks.length).toBeGreaterThanOrEqual(3);
  expect(states).toEqual([]);
  pass(500);
  expect(states).toEqual(['disconnected']);
  packet();
  monitor.answered();
  expect(states).toEqual(['disconnected', 'connected']);
});

test('packets alone bring it back, too', () => {
  pass(3000);
  pass(300, packet);
  expect(states).toEqual(['disconnected', 'connected']);
});

test('half a minute without an answer is the end of consent, whatever comes', () => {
  pass(31_000, packet);
  expect(states.at(-1)).toBe('failed');
  monitor.answered();
  expect(states.at(-1)).toBe('failed');
});

test('when only our packets are lost it is noticed, and packets do not hide it', () => {
  pass(12_000, packet);
  expect(states).toEqual(['disconnected']);
});

test('a process that stood still does not blame the path', () => {
  pass(800);
  expect(checks.length).toBeGreaterThan(0);
  // The event loop was blocked: the interval fires once, late.
  const now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now + 5000);
  vi.advanceTimersByTime(250);
  expect(states).toEqual([]);
  vi.restoreAllMocks();
});

test('a broken connection is lost at once', () => {
  monitor.broken();
  expect(states).toEqual(['disconnected']);
  pass(1000, packet);
  expect(states).toEqual(['disconnected']);
  monitor.answered();
  expect(states).toEqual(['disconnected', 'connected']);
});

import { expect, test } from 'vitest';
import { Scheduler } from '../../../src/client/rtp/scheduler.ts';
import { FakeClock } from './fake-clock.ts';

test('tasks run once at their time, on one timer for all', () => {
  const clock = new FakeClock(0);
  const scheduler = new Scheduler(clock);
  const runs: string[] = [];
  const late = scheduler.task(() => runs.push(`late ${clock.now()}`));
  const early = scheduler.task(() => runs.push(`early ${clock.now()}`));
  late.schedule(30);
  early.schedule(10);
  expect(clock.timers).toBe(1);
  // A task that is due sooner already stays so.
  early.schedule(20);
  clock.advance(100);
  expect(runs).toEqual(['early 10', 'late 30']);
  expect(clock.timers).toBe(0);
});

test('a task may schedule and cancel others, and itself', () => {
  const clock = new FakeClock(0);
  const scheduler = new Scheduler(clock);
  let runs = 0;
  const other = scheduler.task(() => {
    throw new Error('was cancelled');
  });
  const self = scheduler.task(() => {
    runs += 1;
    other.cancel();
    if (runs < 3) self.schedule(clock.now() + 5);
  });
  self.schedule(10);
  other.schedule(10);
  clock.advance(100);
  expect(runs).toBe(3);
});

test('a task that throws does not stop the others', () => {
  const clock = new FakeClock(0);
  const scheduler = new Scheduler(clock);
  let runs = 0;
  const broken = scheduler.task(() => {
    throw new Error('broken');
  });
  const sound = scheduler.task(() => {
    runs += 1;
  });
  broken.schedule(10);
  sound.schedule(20);
  expect(() => clock.advance(15)).toThrow('broken');
  clock.advance(15);
  expect(runs).toBe(1);
});

test('after a stall of the process, what came meanwhile is read before a task decides', () => {
  const clock = new FakeClock(0);
  const scheduler = new Scheduler(clock);
  const runs: number[] = [];
  const task = scheduler.task(() => runs.push(clock.now()));
  task.schedule(10);
  clock.stall(200);
  expect(runs).toEqual([]);
  clock.advance(10);
  expect(runs).toEqual([205]);
});

test('after closing nothing runs', () => {
  const clock = new FakeClock(0);
  const scheduler = new Scheduler(clock);
  const task = scheduler.task(() => {
    throw new Error('is closed');
  });
  task.schedule(10);
  scheduler.close();
  task.schedule(20);
  clock.advance(100);
  expect(clock.timers).toBe(0);
});

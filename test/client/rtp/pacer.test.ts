import { expect, test } from 'vitest';
import { Pacer } from '../../../src/client/rtp/pacer.ts';
import { Scheduler } from '../../../src/client/rtp/scheduler.ts';
import { FakeClock } from './fake-clock.ts';

function pacer(targetBitrate: number) {
  const clock = new FakeClock(0);
  const sent: { atMs: number; name: string }[] = [];
  const paced = new Pacer(new Scheduler(clock), targetBitrate);
  const enqueue = (count: number, name = 'media', priority: 'media' | 'retransmission' = 'media') => {
    for (let i = 0; i < count; i += 1) {
      paced.enqueue(priority, 1250, () => sent.push({ atMs: clock.now(), name }));
    }
  };
  return { clock, paced, sent, enqueue };
}

test('a burst is spread at the rate, and no timer runs afterwards', () => {
  // 8 Mbit/s · 2.5 is 2,500 bytes a millisecond: ten packets each 5 ms.
  const { clock, sent, enqueue } = pacer(8_000_000);
  enqueue(40);
  expect(sent).toHaveLength(10);
  clock.advance(5);
  expect(sent).toHaveLength(20);
  clock.advance(30);
  expect(sent).toHaveLength(40);
  expect(sent.at(-1)!.atMs).toBeLessThanOrEqual(20);
  expect(clock.timers).toBe(0);
});

test('nothing waits longer than 45 ms, however much there is', () => {
  const { clock, sent, enqueue } = pacer(100_000);
  enqueue(1000);
  clock.advance(1000);
  expect(sent).toHaveLength(1000);
  expect(sent.at(-1)!.atMs).toBeLessThanOrEqual(45);
});

test('retransmissions go before what waits', () => {
  const { clock, sent, enqueue } = pacer(0);
  enqueue(20);
  enqueue(2, 'again', 'retransmission');
  const before = sent.length;
  clock.advance(5);
  expect(sent.slice(before, before + 2).map(({ name }) => name)).toEqual(['again', 'again']);
});

test('flush sends all at once, in order', () => {
  const { clock, paced, sent, enqueue } = pacer(0);
  enqueue(30);
  paced.flush();
  expect(sent).toHaveLength(30);
  expect(paced.queuedBytes).toBe(0);
  clock.advance(100);
  expect(sent).toHaveLength(30);
  expect(clock.timers).toBe(0);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ArrivalRecorder } from '../../../src/client/rtp/arrival-recorder.ts';
import { parseRtcp, serializeRtcp } from '../../../src/client/rtp/rtcp/compound.ts';
import type { TransportFeedback } from '../../../src/client/rtp/rtcp/types.ts';
import { Scheduler } from '../../../src/client/rtp/scheduler.ts';
import { SentPacketHistory } from '../../../src/client/rtp/sent-packet-history.ts';
import { FakeClock } from './fake-clock.ts';

/** A history whose feedback comes from a recorder over the wire format. */
function loop(first: number) {
  const clock = new FakeClock();
  const history = new SentPacketHistory(first);
  const acked = new Map<number, number>();
  const lost = new Set<number>();
  const sizes: number[] = [];
  const recorder = new ArrivalRecorder({
    scheduler: new Scheduler(clock),
    senderSsrc: 9,
    send: (feedback) => {
      const bytes = serializeRtcp([feedback]);
      sizes.push(bytes.length);
      const report = history.feedback(parseRtcp(bytes)[0] as TransportFeedback, clock.now());
      for (const packet of report.acked) {
        expect(acked.has(packet.sequence)).toBe(false);
        acked.set(packet.sequence, packet.arrivedMs);
        lost.delete(packet.sequence);
      }
      for (const sequence of report.lost) lost.add(sequence);
    },
  });
  return { clock, history, recorder, acked, lost, sizes };
}

test('any pattern of loss, delay and reordering is told exactly, across the wrap', () => {
  const fate = fc.option(fc.integer({ min: 0, max: 80 }), { nil: undefined, freq: 4 });
  fc.assert(
    fc.property(fc.nat(65_535), fc.array(fate, { minLength: 1, maxLength: 900 }), (first, fates) => {
      const { clock, history, recorder, acked, lost } = loop(first);
      const arrivals = new Map<number, number>();
      fates.forEach((delayMs, i) => {
        history.sent(1200, clock.now());
        if (delayMs !== undefined) {
          clock.setTimer(() => {
            arrivals.set(first + i, clock.now());
            recorder.received((first + i) & 0xffff, 1, clock.now());
          }, delayMs);
        }
        clock.advance(1);
      });
      clock.advance(1000);
      // All that arrived are acked, bar those that were reordered before the very first one.
      const start = Math.min(...arrivals.keys());
      expect([...acked.keys()].sort((a, b) => a - b)).toEqual([...arrivals.keys()].sort((a, b) => a - b));
      const last = Math.max(...arrivals.keys());
      for (let sequence = start; sequence < last; sequence += 1) {
        expect(lost.has(sequence)).toBe(!arrivals.has(sequence));
      }
      // Deltas count quarters of a millisecond, over an origin that all feedback shares.
      const origins = [...acked].map(([sequence, arrivedMs]) => arrivals.get(sequence)! - arrivedMs);
      for (const origin of origins) expect(Math.abs(origin - origins[0]!)).toBeLessThanOrEqual(0.26);
    }),
    { numRuns: 60 },
  );
});

test('feedback comes each 100 ms, sooner for many packets, and never for none', () => {
  const { clock, history, recorder, sizes } = loop(0);
  clock.advance(1000);
  expect(sizes).toHaveLength(0);
  const send = (count: number) => {
    for (let i = 0; i < count; i += 1) {
      recorder.received(history.next & 0xffff, 1, clock.now());
      history.sent(1200, clock.now());
    }
  };
  send(10);
  clock.advance(99);
  expect(sizes).toHaveLength(0);
  clock.advance(1);
  expect(sizes).toHaveLength(1);
  send(250);
  clock.advance(2);
  expect(sizes).toHaveLength(2);
  clock.advance(10_000);
  expect(sizes).toHaveLength(2);
  expect(clock.timers).toBe(0);
});

test('pauses beyond the range of a delta, and jumps in the numbers, are told in packets of moderate size', () => {
  const { clock, history, recorder, acked, sizes } = loop(60_000);
  for (let i = 0; i < 7000; i += 1) {
    const arrives = i < 50 || (i > 1500 && i < 1510) || i >= 6000;
    if (arrives) recorder.received(history.next & 0xffff, 1, clock.now());
    history.sent(1200, clock.now());
    if (i === 20) clock.advance(9000);
    else if (i % 100 === 0) clock.advance(200);
  }
  clock.advance(500);
  expect(acked.size).toBe(50 + 9 + 1000);
  expect(Math.max(...sizes)).toBeLessThan(1200);
});

test('loss and bitrate of the last second', () => {
  const { clock, history, recorder } = loop(5);
  for (let i = 0; i < 1000; i += 1) {
    if (i % 10 !== 0) recorder.received(history.next & 0xffff, 1, clock.now());
    history.sent(1250, clock.now());
    clock.advance(2);
  }
  const stats = history.stats(clock.now());
  expect(stats.lossFraction).toBeCloseTo(0.1, 2);
  // 450 packets of 10,000 bits a second.
  expect(stats.receivedBitrate).toBeGreaterThan(4_300_000);
  expect(stats.receivedBitrate).toBeLessThan(4_700_000);
  expect(stats.feedbackMs).toBeGreaterThan(0);
  clock.advance(5000);
  expect(history.stats(clock.now())).toMatchObject({ lossFraction: 0, receivedBitrate: 0 });
});

test('feedback about packets that were never sent changes nothing', () => {
  const history = new SentPacketHistory(0);
  history.sent(100, 0);
  const deltas = Array.from({ length: 65_535 }, () => 1);
  const feedback = { senderSsrc: 1, mediaSsrc: 1, referenceTime: 0, feedbackCount: 0, deltas };
  const report = history.feedback({ type: 'transport-feedback', baseSequence: 40_000, ...feedback }, 10);
  expect(report.acked.length).toBeLessThanOrEqual(1);
  expect(report.lost).toEqual([]);
});

test('a packet that went again under its number is told neither as arrived nor as lost', () => {
  const { clock, history, recorder, acked, lost } = loop(7);
  for (let i = 0; i < 4; i += 1) history.sent(100, clock.now());
  recorder.received(7, 1, clock.now());
  clock.advance(200);
  history.resent(8);
  history.resent(9);
  // One of the two arrives now, a second after it was first sent.
  clock.advance(800);
  recorder.received(8, 1, clock.now());
  recorder.received(10, 1, clock.now());
  clock.advance(200);
  expect([...acked.keys()]).toEqual([7, 10]);
  expect([...lost]).toEqual([]);
});

/** A publisher on a simulated bottleneck: three layers (2.36 Mbit/s with headers) and sound. */
import { describe, expect, test } from 'vitest';
import { Uplink } from '../../../src/client/quality/uplink.ts';
import { FakeClock } from '../rtp/fake-clock.ts';
import { sessionPair } from '../rtp/session-pair.ts';
import { BITRATES, simulateUplink } from './simulated-uplink.ts';

type Simulation = ReturnType<typeof simulateUplink>;

/** Of the frames from `from` on, how many the other side got within `ms`; the last ones may be under way. */
function arrived(simulation: Simulation, layer: number, from: number, ms: number) {
  const { sent, received } = simulation.records[layer]!;
  const frames = sent.filter((frame) => frame >= from && frame < simulation.frame - 10);
  return { sent: frames.length, inTime: frames.filter((frame) => (received.get(frame) ?? 1e9) < ms).length };
}

const paths = [
  { name: 'a short queue', maxQueueMs: 100 },
  { name: 'a long queue', maxQueueMs: 1_000 },
  { name: 'a token bucket', burstBytes: 16_000 },
  { name: '10 ms of jitter', jitterMs: 10 },
  { name: '2 % loss on 100 ms', loss: 0.02, delayMs: 50 },
];

describe.each(paths)('with $name', ({ name: _, ...path }) => {
  test('the uplink falls to 400 kbit/s: the lowest layer stays whole, sound first', () => {
    const simulation = simulateUplink({ rate: 5e6, ...path });
    simulation.run(10);
    expect(simulation.uplink.active).toEqual([0, 1, 2]);
    simulation.link.rate = 400e3;
    simulation.takeLargestQueueMs();
    const fellMs = simulation.nowMs;
    simulation.run(1);
    const [first, second] = simulation.changes.filter(({ atMs }) => atMs > fellMs);
    expect((second ?? first)!.atMs - fellMs).toBeLessThan(600);
    expect(simulation.uplink.active).toEqual([0]);
    simulation.run(2);
    const from = simulation.frame;
    const heard = simulation.audioArrivals.size;
    const spoken = simulation.audioSent;
    simulation.run(17);
    const { sent, inTime } = arrived(simulation, 0, from, 500);
    expect(sent).toBeGreaterThan(17 * 30 - 20);
    expect(inTime / sent).toBeGreaterThan(0.97);
    expect((simulation.audioArrivals.size - heard) / (simulation.audioSent - spoken)).toBeGreaterThan(0.97);
    // The fallen path shows in the estimate, give or take what probes see.
    expect(simulation.uplink.estimate).toBeGreaterThan(217_500);
    expect(simulation.uplink.estimate).toBeLessThan(450_000);
    simulation.close();
  });

  test('all layers are back within 20 s of the path being wide again', () => {
    const simulation = simulateUplink({ rate: 5e6, ...path });
    simulation.run(10);
    simulation.link.rate = 400e3;
    simulation.run(20);
    simulation.link.rate = 5e6;
    simulation.run(20);
    expect(simulation.uplink.active).toEqual([0, 1, 2]);
    simulation.close();
  });
});

test('a path too narrow for any picture carries sound, and pictures again when it is wide', () => {
  const simulation = simulateUplink({ rate: 150e3 });
  simulation.run(10);
  expect(simulation.uplink.active).toEqual([]);
  const heard = simulation.audioArrivals.size;
  const spoken = simulation.audioSent;
  simulation.run(5);
  expect((simulation.audioArrivals.size - heard) / (simulation.audioSent - spoken)).toBeGreaterThan(0.97);
  simulation.link.rate = 5e6;
  simulation.run(25);
  expect(simulation.uplink.active).toEqual([0, 1, 2]);
  simulation.close();
});

test.each([400, 1_000, 3_000])('a path that is cut for %i ms takes no layer', (ms) => {
  for (let seed = 1; seed <= 8; seed += 1) {
    const simulation = simulateUplink({ rate: 20e6, seed, jitterMs: 2 });
    simulation.run(5 + seed * 0.137);
    for (let cut = 0; cut < 2; cut += 1) {
      simulation.link.loss = 1;
      simulation.run(ms / 1000);
      simulation.link.loss = 0;
      simulation.run(2);
    }
    expect({ seed, changes: simulation.changes }).toEqual({ seed, changes: [] });
    simulation.close();
  }
});

test('a path that is narrow after a cut takes the layers that it cannot carry', () => {
  const simulation = simulateUplink({ rate: 5e6 });
  simulation.run(5);
  simulation.link.loss = 1;
  simulation.run(1);
  simulation.link.loss = 0;
  simulation.link.rate = 400e3;
  simulation.run(2);
  expect(simulation.uplink.active).toEqual([0]);
  simulation.close();
});

test.each([50, 100, 150, 200, 300, 400])(
  'a stall of %i ms takes no layer: what it held comes at once',
  (ms) => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const simulation = simulateUplink({ rate: 20e6, seed, jitterMs: 2 });
      // At each moment of a picture's way and of the keyframe's second.
      simulation.run(5 + seed * 0.137);
      for (let stall = 0; stall < 4; stall += 1) {
        simulation.link.stalledUntilMs = simulation.nowMs + ms;
        simulation.run(1.5);
      }
      expect({ seed, changes: simulation.changes }).toEqual({ seed, changes: [] });
      simulation.close();
    }
  },
);

test('layers come back only five seconds after a change', () => {
  const simulation = simulateUplink({ rate: 1e6 });
  simulation.run(40);
  simulation.link.rate = 5e6;
  simulation.run(40);
  const { changes } = simulation;
  changes.forEach((change, i) => {
    const before = changes[i - 1];
    if (before && change.active.length > before.active.length) {
      expect(change.atMs - before.atMs).toBeGreaterThanOrEqual(5_000);
    }
  });
  simulation.close();
});

test('random loss of 7 % leaves the layers, 25 % takes them', () => {
  for (const [loss, expected] of [
    [0.07, [0, 1, 2]],
    [0.25, []],
  ] as const) {
    const simulation = simulateUplink({ rate: 5e6, delayMs: 15, loss });
    simulation.run(20);
    expect(simulation.uplink.active).toEqual(expected);
    simulation.close();
  }
});

test('a layer that nobody wants is not sent, and one that is wanted again comes at once', () => {
  const simulation = simulateUplink({ rate: 5e6, wanted: [0] });
  simulation.run(5);
  expect(simulation.records.map(({ sent }) => sent.length > 0)).toEqual([true, false, false]);
  simulation.uplink.setWanted([0, 2]);
  expect(simulation.uplink.active).toEqual([0, 2]);
  simulation.run(1);
  expect(simulation.records[2]!.received.size).toBeGreaterThan(25);
  simulation.close();
});

test('at any constant bandwidth the layers settle: at most a change every 8 s, and the lowest stays whole', () => {
  for (let rate = 120e3; rate < 6e6; rate *= 1.35) {
    const simulation = simulateUplink({ rate });
    simulation.run(70);
    const late = simulation.changes.filter(({ atMs }) => atMs > 10_000);
    expect(late.length, `changes at ${Math.round(rate / 1000)} kbit/s`).toBeLessThanOrEqual(7);
    // Below, the lowest layer and the sound do not fit together.
    if (rate > 300e3) {
      const { sent, inTime } = arrived(simulation, 0, 90, 1_000);
      expect(inTime, `frames at ${Math.round(rate / 1000)} kbit/s`).toBeGreaterThanOrEqual(sent * 0.97);
    }
    simulation.close();
  }
});

describe('where nothing tells about single packets', () => {
  /** A session that says only what a test lets it say. */
  function uplinkWith(clock: FakeClock) {
    const { a, b } = sessionPair();
    const uplink = new Uplink(a, { bitrates: BITRATES, audio: true, clock });
    return { session: a, uplink, close: () => [uplink, a, b].forEach((each) => void each.close()) };
  }

  test('REMB decides', () => {
    const clock = new FakeClock();
    const { session, uplink, close } = uplinkWith(clock);
    session.emit('remb', 1_000_000);
    expect(uplink.active).toEqual([0, 1]);
    clock.advance(6_000);
    session.emit('remb', 3_000_000);
    expect(uplink.active).toEqual([0, 1, 2]);
    close();
  });

  test('receiver reports do where there is no REMB, and layers come back one by one', () => {
    const clock = new FakeClock();
    const { session, uplink, close } = uplinkWith(clock);
    session.emit('reports', 0.05);
    expect(uplink.active).toEqual([0, 1, 2]);
    session.emit('reports', 0.4);
    expect(uplink.active).toEqual([0, 1]);
    session.emit('reports', 0);
    expect(uplink.active).toEqual([0, 1]);
    clock.advance(6_000);
    session.emit('reports', 0);
    expect(uplink.active).toEqual([0, 1, 2]);
    close();
  });
});

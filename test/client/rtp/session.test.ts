import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ReceivedFrame } from '../../../src/client/types.ts';
import { numberedFrame, type PairOptions, sessionPair, videoReceiver, videoSender } from './session-pair.ts';

/** Makes all randomness, the sessions' own too, reproducible: a failing run can be run again. */
function seed(value: number): void {
  let state = value;
  vi.spyOn(Math, 'random').mockImplementation(() => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  });
}

afterEach(() => {
  vi.restoreAllMocks();
});

interface Run extends PairOptions {
  readonly frames: number;
  readonly keyframeEvery?: number;
  readonly bytes?: (frame: number) => number;
}

/** Sends frames at 30 a second and gives what came. */
function run({ frames, keyframeEvery = 30, bytes = () => 8000, ...options }: Run) {
  const pair = sessionPair(options);
  const { a, b, clock } = pair;
  const sender = a.addSender(videoSender);
  const receiver = b.addReceiver(videoReceiver);
  const received: ReceivedFrame[] = [];
  receiver.on('frame', (frame) => received.push(frame));
  let keyframeWanted = false;
  sender.on('keyframe-request', () => {
    keyframeWanted = true;
  });
  const start = clock.now();
  for (let number = 0; number < frames; number += 1) {
    const keyframe = keyframeWanted || number % keyframeEvery === 0;
    keyframeWanted = false;
    sender.sendFrame({
      data: numberedFrame(number, keyframe ? 40_000 : bytes(number)),
      keyframe,
      timestampUs: Math.round((number * 1e6) / 30),
      captureTimeMs: start + (number * 1000) / 30,
    });
    clock.advance(1000 / 30);
  }
  clock.advance(2000);
  const numbers = received.map(({ data }) => data.readUInt32BE(0));
  return { ...pair, sender, receiver, received, numbers, start };
}

function inOrder(numbers: readonly number[]): boolean {
  return numbers.every((number, i) => i === 0 || number > numbers[i - 1]!);
}

describe.each(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const)('two sessions with %s', (profile) => {
  test('every frame arrives whole, in order and with its times', () => {
    const { received, numbers, receiver, sender, start, a } = run({ frames: 90, profile });
    expect(numbers).toEqual(Array.from({ length: 90 }, (_, i) => i));
    expect(received[0]!.data).toEqual(numberedFrame(0, 40_000));
    expect(received[1]!.mediaTimeMs - received[0]!.mediaTimeMs).toBeCloseTo(1000 / 30, 1);
    expect(received.filter(({ keyframe }) => keyframe)).toHaveLength(3);
    const last = received[89]!;
    expect(last.captureTimeMs! - start).toBeCloseTo((89 * 1000) / 30, 0);
    expect(received.some(({ gapBefore }) => gapBefore)).toBe(false);
    expect(receiver.stats()).toMatchObject({ lost: 0, duplicates: 0, nacksSent: 0, plisSent: 0, frames: 90 });
    expect(sender.stats().rttMs).toBeCloseTo(20, 0);
    expect(a.transportStats().lossFraction).toBe(0);
  });

  test('2 % loss both ways is repaired over RTX', () => {
    seed(7);
    const lossy = () => (Math.random() < 0.02 ? [] : [10]);
    const { numbers, receiver, sender } = run({ frames: 1500, profile, forth: lossy, back: lossy });
    expect(inOrder(numbers)).toBe(true);
    expect(numbers.length).toBeGreaterThan(1500 * 0.995);
    expect(receiver.stats().retransmitted).toBeGreaterThan(100);
    expect(sender.stats().nacksReceived).toBeGreaterThan(100);
  });
});

test('loss, reordering and duplication in any mixture never break the order or the content', () => {
  fc.assert(
    fc.property(
      fc.record({
        start: fc.nat(),
        loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
        duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
        jitterMs: fc.double({ min: 0, max: 40, noNaN: true }),
      }),
      ({ start, loss, duplicate, jitterMs }) => {
        seed(start);
        const path = () => {
          if (Math.random() < loss) return [];
          const delays = [5 + Math.random() * jitterMs];
          if (Math.random() < duplicate) delays.push(5 + Math.random() * jitterMs);
          return delays;
        };
        const { received, numbers } = run({ frames: 60, forth: path, back: path });
        expect(inOrder(numbers)).toBe(true);
        for (const { data } of received) {
          expect(data.equals(numberedFrame(data.readUInt32BE(0), data.length))).toBe(true);
        }
      },
    ),
    { numRuns: 40 },
  );
});

test('nothing is lost at the wrap of the sequence number and of the rollover counter', () => {
  seed(3);
  const lossy = () => (Math.random() < 0.01 ? [] : [10]);
  const { a, b, clock } = sessionPair({ forth: lossy, targetBitrate: 1e9 });
  const sender = a.addSender(videoSender);
  const receiver = b.addReceiver(videoReceiver);
  let next = 0;
  let outOfOrder = 0;
  receiver.on('frame', ({ data }) => {
    if (data.readUInt32BE(0) !== next) outOfOrder += 1;
    next += 1;
  });
  // More than 2^16 packets: wherever the stream begins, it wraps.
  const count = 68_000;
  for (let number = 0; number < count; number += 1) {
    sender.sendFrame({
      data: numberedFrame(number, 4),
      keyframe: number === 0,
      timestampUs: number * 1000,
      captureTimeMs: clock.now(),
    });
    if (number % 10 === 9) clock.advance(10);
  }
  clock.advance(1000);
  expect({ next, outOfOrder }).toEqual({ next: count, outOfOrder: 0 });
  expect(receiver.stats()).toMatchObject({ lost: 0, framesDropped: 0 });
});

test('up to a round trip of 150 ms, 2 % loss both ways leaves less than 0.5 % of the frames missing', () => {
  let got = 0;
  const runs = 10;
  seed(1);
  for (let i = 0; i < runs; i += 1) {
    const lossy = () => (Math.random() < 0.02 ? [] : [73 + Math.random() * 4]);
    got += run({ frames: 600, bytes: () => 5000, forth: lossy, back: lossy }).numbers.length;
  }
  expect(got / (600 * runs)).toBeGreaterThan(0.995);
});

test('an outage of two seconds ends with a keyframe, and frames flow again', () => {
  let now = 0;
  const path = (_packet: Buffer) => (now > 60 && now < 120 ? [] : [10]);
  const pair = sessionPair({ forth: path, back: path });
  const sender = pair.a.addSender(videoSender);
  const receiver = pair.b.addReceiver(videoReceiver);
  const numbers: number[] = [];
  receiver.on('frame', ({ data }) => numbers.push(data.readUInt32BE(0)));
  let keyframe = true;
  sender.on('keyframe-request', () => {
    keyframe = true;
  });
  for (now = 0; now < 180; now += 1) {
    sender.sendFrame({
      data: numberedFrame(now, 6000),
      keyframe,
      timestampUs: Math.round((now * 1e6) / 30),
      captureTimeMs: pair.clock.now(),
    });
    keyframe = false;
    pair.clock.advance(1000 / 30);
  }
  pair.clock.advance(500);
  expect(inOrder(numbers)).toBe(true);
  const resumed = numbers.find((number) => number >= 120)!;
  expect(resumed).toBeLessThanOrEqual(123);
  expect(numbers.at(-1)).toBe(179);
  expect(receiver.stats().keyframes).toBe(2);
});

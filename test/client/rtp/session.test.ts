import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ReceivedFrame } from '../../../src/client/types.ts';
import { numberedFrame, type PairOptions, sessionPair, videoReceiver, videoSender } from './session-pair.ts';

/** Reproducible randomness: a failing run can be run again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

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
    const rng = random(7);
    const lossy = () => (rng() < 0.02 ? [] : [10]);
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
        seed: fc.nat(),
        loss: fc.double({ min: 0, max: 0.2, noNaN: true }),
        duplicate: fc.double({ min: 0, max: 0.2, noNaN: true }),
        jitterMs: fc.double({ min: 0, max: 40, noNaN: true }),
      }),
      ({ seed, loss, duplicate, jitterMs }) => {
        const rng = random(seed);
        const path = () => {
          if (rng() < loss) return [];
          const delays = [5 + rng() * jitterMs];
          if (rng() < duplicate) delays.push(5 + rng() * jitterMs);
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

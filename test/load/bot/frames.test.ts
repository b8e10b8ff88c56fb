import { expect, test } from 'vitest';
import { type FramePacket, FrameTracker } from '../../../src/load/bot/frames.ts';

/** What a tracker says of packets, and of packets that are given up: `f` and the timestamp, `b`roken, `k`eyframe needed. */
function follow(steps: readonly (FramePacket | number)[]): string[] {
  const said: string[] = [];
  const tracker = new FrameTracker({
    frame: (timestamp, _captured, follows) => said.push(`f${timestamp}${follows ? '+' : ''}`),
    broken: () => said.push('b'),
    keyframeNeeded: () => said.push('k'),
  });
  for (const step of steps) {
    if (typeof step === 'number') tracker.giveUp(step);
    else tracker.add(step);
  }
  return said;
}

const packet = (sequence: number, timestamp: number, marker: boolean, keyframe = false): FramePacket => ({
  sequence,
  timestamp,
  marker,
  keyframe,
  capturedMs: undefined,
});

test('a picture is whole with its marker, and the first has to be a keyframe', () => {
  const packets = [packet(10, 0, true), packet(11, 1, false, true), packet(12, 1, true), packet(13, 2, true)];
  expect(follow(packets)).toEqual(['b', 'k', 'f1', 'f2+']);
});

test('what overtakes waits for what it has overtaken', () => {
  const packets = [packet(1, 0, true, true), packet(3, 1, true), packet(4, 2, true), packet(2, 1, false)];
  expect(follow(packets)).toEqual(['f0', 'f1+', 'f2+']);
});

test('after a lost packet nothing can be shown until a keyframe', () => {
  const steps = [
    packet(1, 0, true, true),
    packet(3, 1, true),
    packet(4, 2, true),
    2,
    packet(5, 3, true, true),
    packet(6, 4, true),
  ];
  expect(follow(steps)).toEqual(['f0', 'k', 'b', 'k', 'b', 'k', 'f3', 'f4+']);
});

test('a keyframe behind the gap is shown', () => {
  const steps = [packet(1, 0, true, true), packet(3, 1, true, true), 2];
  expect(follow(steps)).toEqual(['f0', 'k', 'f1']);
});

test('a lost marker ends its picture with the next one', () => {
  const steps = [packet(1, 0, true, true), packet(2, 1, false), packet(4, 2, true, true), 3];
  expect(follow(steps)).toEqual(['f0', 'k', 'b', 'f2']);
});

test('a stream that begins anew far away is taken from there', () => {
  const steps = [packet(1, 0, true, true), packet(50_000, 7, true, true), packet(50_001, 8, true)];
  expect(follow(steps)).toEqual(['f0', 'k', 'f7', 'f8+']);
});

test('payloads are looked at only while a keyframe is needed or something is missing', () => {
  const tracker = new FrameTracker({ frame: () => {}, broken: () => {}, keyframeNeeded: () => {} });
  expect(tracker.looksForKeyframe).toBe(true);
  tracker.add(packet(1, 0, true, true));
  expect(tracker.looksForKeyframe).toBe(false);
  tracker.add(packet(3, 1, true));
  expect(tracker.looksForKeyframe).toBe(true);
  tracker.add(packet(2, 1, false));
  expect(tracker.looksForKeyframe).toBe(false);
});

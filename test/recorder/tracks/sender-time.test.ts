import { expect, test } from 'vitest';
import { FileTimeline } from '../../../src/recorder/tracks/file-timeline.ts';
import { SenderTime } from '../../../src/recorder/tracks/index.ts';

const NOW = 1_700_000_000_000;

/** Frames of a sender whose clock is `aheadMs` ahead and `ppm` fast, delayed as `delay` says. */
function* frames(options: { aheadMs: number; ppm: number; seconds: number; delay: (i: number) => number }) {
  for (let i = 0; i < options.seconds * 50; i++) {
    const trueMs = NOW + i * 20;
    const captureTimeMs = trueMs + options.aheadMs + i * 20 * options.ppm * 1e-6;
    yield { trueMs, frame: { mediaTimeMs: i * 20, captureTimeMs, receivedAtMs: trueMs + options.delay(i) } };
  }
}

test('senders whose clocks are hours apart share the time, whatever the delay of single frames', () => {
  const jitter = (i: number) => 8 + ((i * 7919) % 60);
  for (const aheadMs of [-7_200_000, 0, 90_000]) {
    const time = new SenderTime();
    let seen = 0;
    for (const { trueMs, frame } of frames({ aheadMs, ppm: 0, seconds: 10, delay: jitter })) {
      const at = time.capturedAt('a', frame);
      expect(at).toBeLessThanOrEqual(frame.receivedAtMs + 0.001);
      if (seen++ < 60) continue;
      expect(Math.abs(at - trueMs - 8)).toBeLessThan(1);
    }
  }
});

test('a clock that is 200 ppm fast is followed for ten minutes', () => {
  for (const ppm of [-200, 200]) {
    const time = new SenderTime();
    let worst = 0;
    for (const { trueMs, frame } of frames({ aheadMs: 500, ppm, seconds: 600, delay: (i) => 5 + (i % 3) }))
      worst = Math.max(worst, Math.abs(time.capturedAt('a', frame) - trueMs - 5));
    expect(worst).toBeLessThan(8);
  }
});

test('a sender that sets its clock back is believed within seconds', () => {
  const time = new SenderTime();
  let error = 0;
  for (const { trueMs, frame } of frames({ aheadMs: 0, ppm: 0, seconds: 20, delay: () => 10 })) {
    const steppedBack = trueMs > NOW + 10_000 ? 3_600_000 : 0;
    const captureTimeMs = frame.captureTimeMs - steppedBack;
    error = time.capturedAt('a', { ...frame, captureTimeMs }) - trueMs;
  }
  expect(error).toBeCloseTo(10, 0);
});

test('before the first report a track has its own clock, which agrees with the arrival', () => {
  const time = new SenderTime();
  let at = 0;
  for (let i = 0; i < 50; i++) {
    const receivedAtMs = NOW + i * 20 + 5 + (i % 7);
    at = time.capturedAt('a', { mediaTimeMs: 90_000 + i * 20, captureTimeMs: undefined, receivedAtMs });
  }
  expect(at - (NOW + 49 * 20)).toBeCloseTo(5, 0);
});

test('file time becomes wall time by the anchors, between and beyond them', () => {
  const anchors = [
    // What is known at first is late by the delay of the first frame.
    { fileMs: 0, capturedAt: 10_090 },
    { fileMs: 1000, capturedAt: 11_000 },
    // The sender's clock was set.
    { fileMs: 2000, capturedAt: 15_000 },
    // It is slow.
    { fileMs: 102_000, capturedAt: 115_020 },
  ];
  const timeline = new FileTimeline(anchors, 5);
  expect(timeline.capturedAt(0)).toBe(10_000);
  expect(timeline.capturedAt(500)).toBe(10_500);
  expect(timeline.capturedAt(1500)).toBe(11_500);
  expect(timeline.capturedAt(2500)).toBeCloseTo(15_500.1);
  expect(timeline.capturedAt(52_000)).toBeCloseTo(65_010);
  expect(timeline.capturedAt(103_000)).toBe(116_020);
  // File time and the sender's clock part by 33 ms; that is no delay.
  const parted = new FileTimeline(
    [
      { fileMs: 0, capturedAt: 500, senderMs: 9_000 },
      { fileMs: 300, capturedAt: 763, senderMs: 9_333 },
      { fileMs: 1300, capturedAt: 1763, senderMs: 10_333 },
    ],
    0,
  );
  expect(parted.capturedAt(0)).toBe(430);
  expect(parted.capturedAt(299)).toBe(729);
  expect(parted.capturedAt(300)).toBe(763);
  expect(parted.capturedAt(1000)).toBe(1463);
  expect(new FileTimeline([], 77).capturedAt(3)).toBe(80);
  expect(new FileTimeline([{ fileMs: 100, capturedAt: 1100 }], 0).capturedAt(50)).toBe(1050);
});

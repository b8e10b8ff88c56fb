import { expect, test } from 'vitest';
import { SenderClock } from '../../../src/client/rtp/sender-clock.ts';
import type { ReceivedFrame } from '../../../src/client/types.ts';
import { numberedFrame, sessionPair, videoReceiver, videoSender } from './session-pair.ts';

test('the capture time in the first packet of a frame arrives, however late the packet is', () => {
  let delay = 5;
  const { a, b, clock } = sessionPair({ forth: () => [delay] });
  const sender = a.addSender(videoSender);
  const receiver = b.addReceiver(videoReceiver);
  const frames: ReceivedFrame[] = [];
  receiver.on('frame', (frame) => frames.push(frame));
  const captured = [1_000_000, 1_000_040, 1_000_079.5].map((ms) => ms + Date.UTC(2026, 0, 1));
  captured.forEach((captureTimeMs, number) => {
    delay = 5 + number * 60;
    // Three packets each: only the first one has the time.
    sender.sendFrame({
      data: numberedFrame(number, 3_000),
      keyframe: number === 0,
      timestampUs: number * 40_000,
      captureTimeMs,
    });
    clock.advance(40);
  });
  clock.advance(500);
  expect(frames).toHaveLength(3);
  frames.forEach((frame, number) => {
    expect(frame.captureTimeMs).toBeCloseTo(captured[number]!, 2);
  });
  a.close();
  b.close();
});

test('capture times of the packets count for more than reports', () => {
  const clock = new SenderClock(90_000);
  clock.captured(1_000, 5_000);
  const ntp = { seconds: 4_000_000_000, fraction: 0 };
  clock.report({
    type: 'sender-report',
    ssrc: 1,
    ntp,
    rtpTimestamp: 1_000,
    packetCount: 0,
    octetCount: 0,
    reports: [],
  });
  expect(clock.captureTimeMs(91_000)).toBe(6_000);
});

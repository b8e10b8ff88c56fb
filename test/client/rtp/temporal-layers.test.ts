import { describe, expect, test } from 'vitest';
import type { ReceivedFrame } from '../../../src/client/types.ts';
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';
import type { TemporalLayer } from '../../../src/media/types.ts';
import { sessionPair, videoReceiver, videoSender } from './session-pair.ts';

/** The period of three temporal layers. */
const PATTERN: readonly TemporalLayer[] = [
  { id: 0, sync: true },
  { id: 2, sync: true },
  { id: 1, sync: true },
  { id: 2, sync: false },
];
const FRAMES = 24;

/** A VP8 picture whose content says its number. */
function picture(number: number): Buffer {
  const keyframe = number === 0;
  const header = keyframe
    ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x40, 0x01, 0xb4, 0x00]
    : [0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0];
  return Buffer.from([...header, number, ...Array<number>(50).fill(number)]);
}

/** Sends pictures of one packet each and loses some, with their repairs; gives the numbers of those that came out. */
function receive(lost: readonly number[], layered = true) {
  let sentPackets = -1;
  const pair = sessionPair({
    // The first media packet has the number 0; RTCP begins with the second byte 200 and up.
    forth: (packet) => {
      if (packet[1]! >= 200 && packet[1]! < 210) return [10];
      sentPackets += 1;
      return lost.includes(sentPackets) ? [] : [10];
    },
  });
  const sender = pair.a.addSender({ ...videoSender, packetizer: createPacketizer('vp8') });
  const receiver = pair.b.addReceiver({
    ...videoReceiver,
    nack: false,
    payloads: new Map([[96, { depacketizer: createDepacketizer('vp8'), clockRate: 90_000, codec: 'vp8' }]]),
  });
  const frames: ReceivedFrame[] = [];
  receiver.on('frame', (frame) => frames.push(frame));
  for (let number = 0; number < FRAMES; number += 1) {
    sender.sendFrame({
      data: picture(number),
      keyframe: number === 0,
      timestampUs: number * 33_333,
      captureTimeMs: pair.clock.now(),
      ...(layered && { temporalLayer: PATTERN[number % 4]! }),
    });
    pair.clock.advance(33);
  }
  pair.clock.advance(1_000);
  const { plisSent } = receiver.stats();
  pair.a.close();
  pair.b.close();
  return {
    numbers: frames.map(({ data }) => data[10]!),
    gaps: frames.filter((f) => f.gapBefore).length,
    plisSent,
  };
}

const all = Array.from({ length: FRAMES }, (_, i) => i);
const without = (...numbers: number[]) => all.filter((number) => !numbers.includes(number));

describe('losses that cannot be repaired', () => {
  test('of the highest layer: the next pictures decode, no keyframe is asked for', () => {
    const { numbers, gaps, plisSent } = receive([5, 11]);
    expect({ numbers, plisSent }).toEqual({ numbers: without(5, 11), plisSent: 0 });
    expect(gaps).toBe(2);
  });

  test('of the middle layer: what needs it is left out, until the next of the lowest', () => {
    const { numbers, plisSent } = receive([6]);
    expect({ numbers, plisSent }).toEqual({ numbers: without(6, 7), plisSent: 0 });
  });

  test('of the lowest layer: only a keyframe helps', () => {
    const { numbers, plisSent } = receive([8]);
    expect(numbers).toEqual(all.slice(0, 8));
    expect(plisSent).toBeGreaterThan(0);
  });

  test('without temporal layers: only a keyframe helps', () => {
    const { numbers, plisSent } = receive([5], false);
    expect(numbers).toEqual(all.slice(0, 5));
    expect(plisSent).toBeGreaterThan(0);
  });
});

import type { Depacketizer, Packetizer } from '../../../src/media/rtp/types.ts';

const START = 1;
const KEY = 2;

/** The simplest payload format there is: one byte of flags, then a piece of the frame. */
export const testPacketizer = (maxPayloadBytes = 1200): Packetizer => ({
  codec: 'vp8',
  packetize(frame, { keyframe }) {
    const payloads: Buffer[] = [];
    for (let at = 0; at === 0 || at < frame.length; at += maxPayloadBytes - 1) {
      const flags = (at === 0 ? START : 0) | (keyframe ? KEY : 0);
      payloads.push(Buffer.concat([Buffer.from([flags]), frame.subarray(at, at + maxPayloadBytes - 1)]));
    }
    return payloads;
  },
});

export const testDepacketizer: Depacketizer = {
  codec: 'vp8',
  isFrameStart: (payload) => (payload[0]! & START) !== 0,
  isKeyFrameStart: (payload) => (payload[0]! & KEY) !== 0,
  depacketize(payloads) {
    const first = payloads[0];
    if (!first || !(first[0]! & START)) return undefined;
    return {
      data: Buffer.concat(payloads.map((payload) => payload.subarray(1))),
      keyframe: (first[0]! & KEY) !== 0,
    };
  },
};

/** RTP payload format of Opus, RFC 7587: a packet is the payload, and is never cut or joined. */
import type { Depacketizer, Packetizer } from './types.ts';

/** A frame of no bytes (DTX of some encoders) becomes an empty payload, so that the RTP clock is kept. */
export function createOpusPacketizer(): Packetizer {
  return {
    codec: 'opus',
    packetize: (frame) => [frame],
  };
}

/**
 * The frame is not looked into, so that sealed frames pass too; `parseOpusPacket` tells whether a frame is
 * well-formed.
 */
export function createOpusDepacketizer(): Depacketizer {
  return {
    codec: 'opus',
    isFrameStart: () => true,
    isKeyFrameStart: () => true,
    depacketize(payloads) {
      const [payload] = payloads;
      if (payload === undefined || payloads.length !== 1) return undefined;
      return { data: Buffer.from(payload), keyframe: true };
    },
  };
}

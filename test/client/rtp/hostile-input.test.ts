import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRtpHeader, serializeRtp } from '../../../src/client/rtp/packet.ts';
import { createCipher } from '../../../src/client/rtp/srtp/profile.ts';
import { numberedFrame, RTX_SSRC, SSRC, sessionPair, videoReceiver, videoSender } from './session-pair.ts';

const bytes = (max: number, min = 0) =>
  fc.uint8Array({ minLength: min, maxLength: max }).map((data) => Buffer.from(data));
const profiles = ['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const;

/** A pair, and a peer who has the keys of `a` and says what it likes to `b`. */
function peer(profile: (typeof profiles)[number]) {
  const pair = sessionPair({ profile });
  const cipher = createCipher(profile, pair.keysA.localKey, pair.keysA.localSalt);
  let rtcpIndex = 1_000_000;
  return {
    ...pair,
    rtp(packet: Buffer) {
      const header = parseRtpHeader(packet);
      if (!header) return;
      const payload = packet.subarray(header.headerLength);
      const sealed = Buffer.alloc(packet.length + cipher.tagLength);
      packet.copy(sealed);
      cipher.encryptRtp(sealed, header.headerLength, payload, header.ssrc, header.sequenceNumber);
      pair.b.receive(sealed);
    },
    rtcp(compound: Buffer) {
      rtcpIndex += 1;
      pair.b.receive(cipher.encryptRtcp(compound, rtcpIndex));
    },
  };
}

test.each(profiles)('%s: bytes from anywhere never throw, and the session goes on', (profile) => {
  const { a, b, clock } = sessionPair({ profile });
  const sender = a.addSender(videoSender);
  const receiver = b.addReceiver(videoReceiver);
  const frames: number[] = [];
  receiver.on('frame', ({ data }) => frames.push(data.readUInt32BE(0)));
  let number = 0;
  fc.assert(
    fc.property(bytes(200), fc.constantFrom(0x80, 0x90, 0xa0, 0xbf), fc.nat(255), (noise, first, second) => {
      b.receive(noise);
      b.receive(Buffer.concat([Buffer.from([first, second]), noise]));
      sender.sendFrame({
        data: numberedFrame(number, 100),
        keyframe: true,
        timestampUs: number * 1000,
        captureTimeMs: clock.now(),
      });
      number += 1;
      clock.advance(10);
    }),
    { numRuns: 500 },
  );
  clock.advance(100);
  expect(frames).toEqual(Array.from({ length: number }, (_, i) => i));
});

test.each(profiles)('%s: an authenticated peer may send any packet', (profile) => {
  const { a, b, clock, rtp, rtcp } = peer(profile);
  const receiver = b.addReceiver(videoReceiver);
  b.addSender({ ...videoSender, ssrc: 5, rtxSsrc: 6 });
  const packet = fc.record({
    marker: fc.boolean(),
    payloadType: fc.constantFrom(96, 97, 98),
    sequenceNumber: fc.nat(0xffff),
    timestamp: fc.nat(),
    ssrc: fc.constantFrom(SSRC, RTX_SSRC, 1234),
    extensions: fc.array(
      fc.record({ id: fc.integer({ min: 1, max: 14 }), data: fc.constant(randomBytes(2)) }),
      {
        maxLength: 3,
      },
    ),
    payload: bytes(30),
    padding: fc.nat(255),
  });
  fc.assert(
    fc.property(
      packet,
      bytes(60, 8),
      fc.integer({ min: 200, max: 207 }),
      fc.nat(31),
      (init, body, type, count) => {
        rtp(serializeRtp(init));
        const words = Math.floor(body.length / 4);
        const head = Buffer.from([0x80 | count, type, words >> 8, words & 0xff]);
        rtcp(Buffer.concat([head, body.subarray(0, words * 4)]));
        clock.advance(3);
      },
    ),
    { numRuns: 3000 },
  );
  clock.advance(5000);
  expect(receiver.stats().packets).toBeGreaterThan(0);
  a.close();
  b.close();
  // What both sent last is still on its way.
  clock.advance(50);
  expect(clock.timers).toBe(0);
});

test('a depacketiser that throws makes a malformed frame, no crash', () => {
  const { a, b, clock } = sessionPair();
  const sender = a.addSender(videoSender);
  const broken = {
    codec: 'vp8' as const,
    isFrameStart: () => true,
    isKeyFrameStart: () => true,
    depacketize: () => {
      throw new RangeError('offset is out of range');
    },
  };
  const receiver = b.addReceiver({
    ...videoReceiver,
    payloads: new Map([[96, { depacketizer: broken, clockRate: 90_000, codec: 'vp8' }]]),
  });
  for (let i = 0; i < 10; i += 1) {
    sender.sendFrame({ data: numberedFrame(i, 100), keyframe: true, timestampUs: i, captureTimeMs: 0 });
    clock.advance(50);
  }
  expect(receiver.stats()).toMatchObject({ frames: 0, packets: 10 });
});

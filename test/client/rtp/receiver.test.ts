import { describe, expect, test } from 'vitest';
import { parseRtpHeader, serializeRtp } from '../../../src/client/rtp/packet.ts';
import type { RtpReceiverOptions } from '../../../src/client/rtp/receiver.ts';
import { parseRtcp, serializeRtcp } from '../../../src/client/rtp/rtcp/compound.ts';
import type { RtcpPacket } from '../../../src/client/rtp/rtcp/types.ts';
import { RtpSession } from '../../../src/client/rtp/session.ts';
import { SrtpInbound } from '../../../src/client/rtp/srtp/inbound.ts';
import { SrtpOutbound } from '../../../src/client/rtp/srtp/outbound.ts';
import { createCipher } from '../../../src/client/rtp/srtp/profile.ts';
import type { ReceivedFrame } from '../../../src/client/types.ts';
import { FakeClock } from './fake-clock.ts';
import { keyPair, numberedFrame, RTX_SSRC, SSRC, videoReceiver } from './session-pair.ts';
import { testPacketizer } from './test-codec.ts';

/** A receiving session and a sender whose every packet the test writes. */
function receiving(options: Partial<RtpReceiverOptions> = {}) {
  const clock = new FakeClock();
  const [keys, peerKeys] = keyPair('AEAD_AES_128_GCM');
  const inbound = new SrtpInbound(peerKeys.profile, peerKeys.remoteKey, peerKeys.remoteSalt);
  const outbound = new SrtpOutbound(peerKeys.profile, peerKeys.localKey, peerKeys.localSalt);
  const cipher = createCipher(peerKeys.profile, peerKeys.localKey, peerKeys.localSalt);
  const rtcp: RtcpPacket[] = [];
  const session = new RtpSession({
    keys,
    cname: 'us',
    clock,
    send: (wire) => {
      const compound = inbound.unprotectRtcp(wire);
      if (compound) rtcp.push(...parseRtcp(compound));
    },
  });
  const receiver = session.addReceiver({ ...videoReceiver, ...options });
  const frames: ReceivedFrame[] = [];
  receiver.on('frame', (frame) => frames.push(frame));
  const [payload] = testPacketizer().packetize(numberedFrame(0, 20), { keyframe: false });
  const [keyPayload] = testPacketizer().packetize(numberedFrame(0, 20), { keyframe: true });
  /** A one-packet frame with this index; every packet of `key` is a keyframe. */
  const deliver = (
    index: number,
    init: { key?: boolean; ssrc?: number; payload?: Buffer; payloadType?: number; padding?: number } = {},
  ) => {
    const { key = false, ssrc = SSRC, ...rest } = init;
    const packet = serializeRtp({
      marker: true,
      payloadType: 96,
      sequenceNumber: index & 0xffff,
      timestamp: (index * 3000) >>> 0,
      ssrc,
      payload: (key ? keyPayload : payload)!,
      ...rest,
    });
    const { headerLength } = parseRtpHeader(packet)!;
    const sealed = Buffer.alloc(packet.length + cipher.tagLength);
    packet.copy(sealed);
    cipher.encryptRtp(sealed, headerLength, packet.subarray(headerLength), ssrc, index);
    session.receive(sealed);
  };
  const say = (...packets: RtcpPacket[]) => session.receive(outbound.protectRtcp(serializeRtcp(packets)));
  const sent = <Type extends RtcpPacket['type']>(type: Type) =>
    rtcp.filter((packet): packet is Extract<RtcpPacket, { type: Type }> => packet.type === type);
  return { clock, session, receiver, frames, deliver, say, sent };
}

describe('repair', () => {
  test('asks for a lost packet, also at the wrap, and puts the repaired one in its place', () => {
    const { clock, deliver, sent, frames, receiver } = receiving();
    deliver(65_534, { key: true });
    deliver(65_537);
    expect(frames).toHaveLength(1);
    clock.advance(6);
    expect(sent('nack').map(({ sequenceNumbers }) => sequenceNumbers)).toEqual([[65_535, 0]]);
    const rtx = (original: number) => {
      const payload = Buffer.concat([
        Buffer.alloc(2),
        testPacketizer().packetize(numberedFrame(0, 20), { keyframe: false })[0]!,
      ]);
      payload.writeUInt16BE(original & 0xffff, 0);
      return payload;
    };
    deliver(100, { ssrc: RTX_SSRC, payloadType: 97, payload: rtx(65_535) });
    deliver(101, { ssrc: RTX_SSRC, payloadType: 97, payload: rtx(65_536) });
    deliver(102, { ssrc: RTX_SSRC, payloadType: 97, payload: rtx(65_536) });
    expect(frames).toHaveLength(4);
    expect(frames.some(({ gapBefore }) => gapBefore)).toBe(false);
    expect(receiver.stats()).toMatchObject({
      lost: 0,
      retransmitted: 3,
      duplicates: 1,
      nacksSent: 2,
      packets: 4,
    });
  });

  test('what is not repaired is dropped after the delay, and a keyframe asked for until it comes', () => {
    // The round trip is taken as 150 ms while it is unknown: 200 ms in all.
    const { clock, deliver, sent, frames, receiver } = receiving({ maxDelayMs: 50 });
    deliver(10, { key: true });
    deliver(12);
    clock.advance(199);
    expect(sent('picture-loss-indication')).toHaveLength(0);
    clock.advance(2);
    expect(sent('picture-loss-indication')).toHaveLength(1);
    for (let index = 13; index < 43; index += 1) {
      deliver(index);
      clock.advance(33);
    }
    expect(sent('picture-loss-indication')).toHaveLength(4);
    deliver(43, { key: true });
    clock.advance(2000);
    expect(sent('picture-loss-indication')).toHaveLength(4);
    expect(frames.map(({ gapBefore }) => gapBefore)).toEqual([false, true]);
    expect(receiver.stats()).toMatchObject({
      lost: 1,
      frames: 2,
      keyframes: 2,
      framesDropped: 31,
      plisSent: 4,
    });
  });

  test('a long gap asks for a keyframe at once', () => {
    const { deliver, sent } = receiving();
    deliver(10, { key: true });
    deliver(300);
    expect(sent('picture-loss-indication')).toHaveLength(1);
  });

  test('a sender begun anew is followed', () => {
    const { deliver, frames, clock } = receiving();
    deliver(10, { key: true });
    deliver(20_000, { key: true });
    deliver(20_001);
    clock.advance(500);
    expect(frames.map(({ gapBefore }) => gapBefore)).toEqual([false, true, false]);
  });

  test('without PLI and NACK negotiated neither is sent', () => {
    const { clock, deliver, sent, receiver } = receiving({ nack: false, pli: false });
    deliver(10, { key: true });
    deliver(12);
    receiver.requestKeyFrame();
    clock.advance(1000);
    expect(sent('nack')).toHaveLength(0);
    expect(sent('picture-loss-indication')).toHaveLength(0);
    expect(receiver.stats().lost).toBe(1);
  });
});

test('padding, probes and unknown payload types are no loss and break no frame', () => {
  const { clock, deliver, frames, receiver, sent } = receiving();
  deliver(10, { key: true });
  deliver(11, { payload: Buffer.alloc(0), padding: 200 });
  deliver(12, { payloadType: 13 });
  deliver(5, { ssrc: RTX_SSRC, payloadType: 97, payload: Buffer.alloc(0), padding: 100 });
  deliver(1, { ssrc: 1234 });
  deliver(13);
  clock.advance(1000);
  expect(frames).toHaveLength(2);
  expect(receiver.stats()).toMatchObject({ lost: 0, framesDropped: 0 });
  expect(sent('nack')).toHaveLength(0);
});

test('keyframes asked for by hand are limited to one each 300 ms, and none is forgotten', () => {
  const { clock, deliver, receiver, sent } = receiving();
  deliver(10, { key: true });
  for (let i = 0; i < 5; i += 1) receiver.requestKeyFrame();
  expect(sent('picture-loss-indication')).toHaveLength(1);
  clock.advance(1000);
  expect(sent('picture-loss-indication')).toHaveLength(2);
});

test('Opus packets are frames, and a lost one leaves a gap', () => {
  const { clock, deliver, frames, receiver } = receiving({
    kind: 'audio',
    nack: false,
    pli: false,
    payloads: new Map([
      [
        96,
        {
          codec: 'opus',
          clockRate: 48_000,
          depacketizer: {
            codec: 'opus',
            isFrameStart: () => true,
            isKeyFrameStart: () => true,
            depacketize: ([payload]) => payload && { data: Buffer.from(payload), keyframe: true },
          },
        },
      ],
    ]),
  });
  for (const index of [10, 12, 11, 14, 15]) deliver(index);
  expect(frames).toHaveLength(3);
  clock.advance(100);
  expect(frames.map(({ gapBefore }) => gapBefore)).toEqual([false, false, false, true, false]);
  expect(frames[1]!.mediaTimeMs - frames[0]!.mediaTimeMs).toBeCloseTo(62.5);
  expect(receiver.stats().lost).toBe(1);
});

test('reports tell what came, ask for the round trip and take its answer', () => {
  const { clock, session, deliver, say, sent } = receiving();
  deliver(10, { key: true });
  deliver(12);
  clock.advance(150);
  const [report] = sent('receiver-report');
  expect(report!.reports).toMatchObject([{ ssrc: SSRC, highestSequence: 12, cumulativeLost: 1 }]);
  const [question] = sent('extended-report');
  const { seconds, fraction } = question!.referenceTime!;
  const lastReference = (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0;
  clock.advance(70);
  say({ type: 'extended-report', ssrc: SSRC, answers: [{ ssrc: question!.ssrc, lastReference, delay: 0 }] });
  expect(session.rttMs).toBeGreaterThan(70);
  expect(session.rttMs).toBeLessThan(130);
});

test('a reference time of the sender is answered in the next report', () => {
  const { clock, say, sent } = receiving();
  say({
    type: 'extended-report',
    ssrc: 77,
    referenceTime: { seconds: 0xa_1234, fraction: 0x5678_0000 },
    answers: [],
  });
  clock.advance(150);
  const [answer] = sent('extended-report')[0]!.answers;
  expect(answer).toMatchObject({ ssrc: 77, lastReference: 0x1234_5678 });
  expect(answer!.delay).toBe(Math.round(0.1 * 65_536));
});

test('a goodbye is told once for the media stream, not for its RTX stream', () => {
  const { receiver, say } = receiving();
  let byes = 0;
  receiver.on('bye', () => {
    byes += 1;
  });
  say({ type: 'goodbye', ssrcs: [RTX_SSRC, 99] });
  expect(byes).toBe(0);
  say({ type: 'goodbye', ssrcs: [SSRC] });
  expect(byes).toBe(1);
});

test('a removed receiver hears nothing more, and its SSRC may be added again', () => {
  const { session, receiver, frames, deliver } = receiving();
  deliver(10, { key: true });
  expect(() => session.addReceiver(videoReceiver)).toThrow(RangeError);
  session.removeReceiver(receiver);
  session.removeReceiver(receiver);
  deliver(11);
  expect(frames).toHaveLength(1);
  session.addReceiver(videoReceiver);
});

test('the frame rate is that of the last second', () => {
  const { clock, deliver, receiver } = receiving();
  for (let index = 0; index < 50; index += 1) {
    deliver(index, { key: true });
    clock.advance(40);
  }
  expect(receiver.stats().fps).toBeGreaterThanOrEqual(24);
  expect(receiver.stats().fps).toBeLessThanOrEqual(26);
  clock.advance(1100);
  expect(receiver.stats().fps).toBe(0);
});

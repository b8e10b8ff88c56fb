import { describe, expect, test } from 'vitest';
import { fromNtp } from '../../../src/client/rtp/ntp.ts';
import { parseRtpHeader, readExtension, stripPadding } from '../../../src/client/rtp/packet.ts';
import { parseRtcp, serializeRtcp } from '../../../src/client/rtp/rtcp/compound.ts';
import type { RtcpPacket } from '../../../src/client/rtp/rtcp/types.ts';
import { RtpSession } from '../../../src/client/rtp/session.ts';
import { SrtpInbound } from '../../../src/client/rtp/srtp/inbound.ts';
import { SrtpOutbound } from '../../../src/client/rtp/srtp/outbound.ts';
import { FakeClock } from './fake-clock.ts';
import { extensions, keyPair, numberedFrame, RTX_SSRC, SSRC, videoSender } from './session-pair.ts';
import { testPacketizer } from './test-codec.ts';

/** A session with a peer that reads every packet and answers with what the test says. */
function sending() {
  const clock = new FakeClock();
  const [keys, peerKeys] = keyPair('AEAD_AES_128_GCM');
  const inbound = new SrtpInbound(peerKeys.profile, peerKeys.remoteKey, peerKeys.remoteSalt);
  const outbound = new SrtpOutbound(peerKeys.profile, peerKeys.localKey, peerKeys.localSalt);
  const rtp: {
    header: NonNullable<ReturnType<typeof parseRtpHeader>>;
    wire: Buffer;
    payload: Buffer | undefined;
  }[] = [];
  const rtcp: RtcpPacket[] = [];
  const session = new RtpSession({
    keys,
    cname: 'us',
    clock,
    send(wire) {
      const compound = wire[1]! >= 192 && wire[1]! <= 223 ? inbound.unprotectRtcp(wire) : undefined;
      if (compound) {
        rtcp.push(...parseRtcp(compound));
        return;
      }
      const header = parseRtpHeader(wire)!;
      const plain = inbound.unprotectRtp(wire, header);
      rtp.push({ header, wire, payload: plain && stripPadding(plain, header) });
    },
  });
  const answer = (...packets: RtcpPacket[]) => session.receive(outbound.protectRtcp(serializeRtcp(packets)));
  const frame = (number: number, bytes = 100) => ({
    data: numberedFrame(number, bytes),
    keyframe: number === 0,
    timestampUs: number * 40_000,
    captureTimeMs: Date.UTC(2026, 0, 1) + number * 40,
  });
  const nack = (sequenceNumbers: number[]): RtcpPacket => ({
    type: 'nack',
    senderSsrc: 9,
    mediaSsrc: SSRC,
    sequenceNumbers,
  });
  return { clock, session, rtp, rtcp, answer, frame, nack };
}

test('packets carry consecutive numbers, one timestamp a frame, the marker at its end, and their extensions', () => {
  const { session, rtp, frame, clock } = sending();
  const sender = session.addSender({ ...videoSender, timestampOffset: 0xffff_f000 });
  expect(sender.sendFrame(frame(0, 3000))).toBe(3);
  clock.advance(40);
  expect(sender.sendFrame(frame(1))).toBe(1);
  expect(rtp.map(({ header }) => header.marker)).toEqual([false, false, true, true]);
  const first = rtp[0]!.header.sequenceNumber;
  expect(rtp.map(({ header }) => header.sequenceNumber)).toEqual(
    [0, 1, 2, 3].map((i) => (first + i) & 0xffff),
  );
  expect(rtp.map(({ header }) => header.timestamp)).toEqual(
    [0xffff_f000, 0xffff_f000, 0xffff_f000, 0xffff_f000 + 3600].map((t) => t % 2 ** 32),
  );
  const { wire, header } = rtp[0]!;
  expect(readExtension(wire, header, extensions.mid)?.toString()).toBe('0');
  expect(readExtension(wire, header, extensions.rid)?.toString()).toBe('h');
  expect(readExtension(wire, header, extensions.repairedRid)).toBeUndefined();
  const transport = rtp.map((packet) =>
    readExtension(packet.wire, packet.header, extensions.transportCc)!.readUInt16BE(0),
  );
  expect(transport).toEqual([0, 1, 2, 3].map((i) => (transport[0]! + i) & 0xffff));
});

describe('a NACK', () => {
  test('is answered over RTX with the original number, a new transport-wide one and the repaired rid', () => {
    const { session, rtp, frame, answer, nack } = sending();
    const sender = session.addSender(videoSender);
    sender.sendFrame(frame(0, 3000));
    const lost = rtp[1]!;
    answer(nack([lost.header.sequenceNumber]));
    const repair = rtp[3]!;
    expect(repair.header).toMatchObject({
      ssrc: RTX_SSRC,
      payloadType: 97,
      timestamp: lost.header.timestamp,
    });
    expect(repair.payload!.readUInt16BE(0)).toBe(lost.header.sequenceNumber);
    expect(repair.payload!.subarray(2)).toEqual(lost.payload);
    const value = (id: number) => readExtension(repair.wire, repair.header, id);
    expect(value(extensions.repairedRid)?.toString()).toBe('h');
    expect(value(extensions.rid)).toBeUndefined();
    const last = readExtension(rtp[2]!.wire, rtp[2]!.header, extensions.transportCc)!.readUInt16BE(0);
    expect(value(extensions.transportCc)!.readUInt16BE(0)).toBe((last + 1) & 0xffff);
    expect(sender.stats()).toMatchObject({ retransmitted: 1, nacksReceived: 1, packets: 3 });
  });

  test('without RTX is answered with the very same bytes: GCM must not see a nonce twice', () => {
    const { session, rtp, frame, answer, nack } = sending();
    const { rtxSsrc: _ssrc, rtxPayloadType: _payloadType, ...plain } = videoSender;
    session.addSender(plain).sendFrame(frame(0));
    answer(nack([rtp[0]!.header.sequenceNumber]));
    expect(rtp).toHaveLength(2);
    expect(rtp[1]!.wire).toEqual(rtp[0]!.wire);
  });

  test('for the same packet within a round trip is answered once', () => {
    const { session, rtp, frame, answer, nack, clock } = sending();
    session.addSender(videoSender).sendFrame(frame(0));
    const number = rtp[0]!.header.sequenceNumber;
    answer(nack([number, number]), nack([number]));
    expect(rtp).toHaveLength(2);
    clock.advance(15);
    answer(nack([number]));
    expect(rtp).toHaveLength(3);
  });

  test('for what was never sent, or too long ago, is passed over', () => {
    const { session, rtp, frame, answer, nack, clock } = sending();
    const sender = session.addSender(videoSender);
    sender.sendFrame(frame(0));
    const number = rtp[0]!.header.sequenceNumber;
    answer(nack([number + 1, number - 1, number + 20_000]));
    clock.advance(3000);
    sender.sendFrame(frame(1));
    answer(nack([number]));
    expect(rtp).toHaveLength(2);
  });
});

describe('keyframe requests', () => {
  const pli = (mediaSsrc: number): RtcpPacket => ({
    type: 'picture-loss-indication',
    senderSsrc: 9,
    mediaSsrc,
  });
  const fir = (ssrc: number, sequenceNumber: number): RtcpPacket => ({
    type: 'full-intra-request',
    senderSsrc: 9,
    mediaSsrc: 0,
    entries: [{ ssrc, sequenceNumber }],
  });

  test('PLI and FIR reach the sender that they name; SSRC 0 means all', () => {
    const { session, answer } = sending();
    const requests: string[] = [];
    session.addSender(videoSender).on('keyframe-request', () => requests.push('low'));
    session
      .addSender({ ...videoSender, ssrc: 5, rtxSsrc: 6 })
      .on('keyframe-request', () => requests.push('high'));
    session
      .addSender({ ...videoSender, kind: 'audio', ssrc: 7, rtxSsrc: 8 })
      .on('keyframe-request', () => requests.push('audio'));
    answer(pli(5), fir(SSRC, 1), pli(999));
    expect(requests).toEqual(['high', 'low']);
    answer(pli(0));
    expect(requests).toEqual(['high', 'low', 'low', 'high']);
  });

  test('a FIR that is repeated with the same number asks once', () => {
    const { session, answer } = sending();
    const sender = session.addSender(videoSender);
    answer(fir(SSRC, 255), fir(SSRC, 255), fir(SSRC, 0), fir(SSRC, 0));
    expect(sender.stats().keyframeRequests).toBe(2);
  });
});

describe('sender reports', () => {
  test('the first follows the first frame, then one about each second', () => {
    const { session, rtcp, frame, clock } = sending();
    const sender = session.addSender(videoSender);
    clock.advance(500);
    expect(rtcp.filter(({ type }) => type === 'sender-report')).toHaveLength(0);
    sender.sendFrame(frame(0));
    clock.advance(2);
    expect(rtcp.filter(({ type }) => type === 'sender-report')).toHaveLength(1);
    clock.advance(20_000);
    const count = rtcp.filter(({ type }) => type === 'sender-report').length;
    expect(count).toBeGreaterThan(15);
    expect(count).toBeLessThan(28);
  });

  test('all streams of a source map to one wall clock', () => {
    const { session, rtp, rtcp, frame, clock } = sending();
    const low = session.addSender(videoSender);
    const high = session.addSender({ ...videoSender, ssrc: 5, rtxSsrc: 6 });
    const audio = session.addSender({
      ...videoSender,
      kind: 'audio',
      ssrc: 7,
      rtxSsrc: 8,
      clockRate: 48_000,
      packetizer: { ...testPacketizer(), codec: 'opus' },
    });
    for (const sender of [low, high, audio]) sender.sendFrame(frame(3));
    clock.advance(1500);
    for (const { header } of rtp) {
      const report = rtcp.findLast(
        (packet) => packet.type === 'sender-report' && packet.ssrc === header.ssrc,
      );
      if (report?.type !== 'sender-report') throw new Error('no report');
      const rate = header.ssrc === 7 ? 48_000 : 90_000;
      const capture = fromNtp(report.ntp) - (((report.rtpTimestamp - header.timestamp) | 0) * 1000) / rate;
      expect(capture).toBeCloseTo(frame(3).captureTimeMs, 1);
    }
    const descriptions = rtcp.flatMap((packet) =>
      packet.type === 'source-description' ? packet.chunks : [],
    );
    expect(descriptions).toContainEqual({ ssrc: 7, cname: 'us' });
  });

  test('a receiver report fills the statistics and the round trip', () => {
    const { session, rtcp, frame, clock, answer } = sending();
    const sender = session.addSender(videoSender);
    sender.sendFrame(frame(0));
    clock.advance(2);
    const report = rtcp.find(({ type }) => type === 'sender-report');
    if (report?.type !== 'sender-report') throw new Error('no report');
    const { seconds, fraction } = report.ntp;
    clock.advance(148);
    answer({
      type: 'receiver-report',
      ssrc: 9,
      reports: [
        {
          ssrc: SSRC,
          fractionLost: 64,
          cumulativeLost: 12,
          highestSequence: 100,
          jitter: 900,
          lastSenderReport: (((seconds & 0xffff) << 16) | (fraction >>> 16)) >>> 0,
          delaySinceLastSenderReport: Math.round(0.1 * 65_536),
        },
      ],
    });
    const stats = sender.stats();
    expect(stats).toMatchObject({ fractionLost: 0.25, packetsLost: 12, jitterMs: 10 });
    expect(stats.rttMs).toBeGreaterThan(47);
    expect(stats.rttMs).toBeLessThan(51);
    expect(session.rttMs).toBe(stats.rttMs);
  });
});

test('REMB reaches the session', () => {
  const { session, answer } = sending();
  const bitrates: number[] = [];
  session.on('remb', (bitrate) => bitrates.push(bitrate));
  answer({ type: 'remb', senderSsrc: 9, bitrate: 1_000_000, ssrcs: [SSRC] });
  expect(bitrates).toEqual([1_000_000]);
});

test('closing flushes the pacer, says goodbye and leaves no timer; twice does no harm', () => {
  const { session, rtp, rtcp, frame, clock } = sending();
  const sender = session.addSender(videoSender);
  sender.sendFrame(frame(0, 60_000));
  expect(rtp.length).toBeLessThan(50);
  session.close();
  session.close();
  expect(rtp).toHaveLength(51);
  expect(rtcp.at(-1)).toEqual({ type: 'goodbye', ssrcs: [SSRC, RTX_SSRC] });
  expect(clock.timers).toBe(0);
  expect(sender.sendFrame(frame(1))).toBe(0);
});

test('an SSRC that is added again goes on with its index: no nonce is used twice', () => {
  const { session, rtp, rtcp, frame } = sending();
  const first = session.addSender(videoSender);
  expect(() => session.addSender(videoSender)).toThrow(RangeError);
  first.sendFrame(frame(0));
  session.removeSender(first);
  session.removeSender(first);
  expect(rtcp.filter(({ type }) => type === 'goodbye')).toHaveLength(1);
  session.addSender(videoSender).sendFrame(frame(1));
  expect(rtp[1]!.header.sequenceNumber).toBe((rtp[0]!.header.sequenceNumber + 1) & 0xffff);
});

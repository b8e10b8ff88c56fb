import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import * as mediasoup from 'mediasoup';
import type { PlainTransport, Router, RtpParameters, Worker } from 'mediasoup/types';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RtpSession } from '../../../src/client/rtp/session.ts';
import type { SrtpKeys, SrtpProfile } from '../../../src/client/transport/types.ts';
import type { ReceivedFrame } from '../../../src/client/types.ts';
import { createDepacketizer, createPacketizer } from '../../../src/media/rtp/index.ts';
import { workerBin } from '../../support/worker.ts';

let worker: Worker;
let router: Router;

beforeAll(async () => {
  worker = await mediasoup.createWorker({ workerBin: workerBin(), logLevel: 'error' });
  router = await worker.createRouter({
    mediaCodecs: [{ kind: 'video', mimeType: 'video/VP8', clockRate: 90_000, preferredPayloadType: 96 }],
  });
});

afterAll(() => worker.close());

interface End {
  readonly session: RtpSession;
  readonly transport: PlainTransport;
  /** Drops the next packets from or to the SFU that it says. */
  drop: (packet: Buffer, direction: 'in' | 'out') => boolean;
  close(): void;
}

/** A session over a real socket to a transport of the SFU. */
async function connect(profile: SrtpProfile, name: string): Promise<End> {
  const transport = await router.createPlainTransport({
    listenInfo: { protocol: 'udp', ip: '127.0.0.1' },
    rtcpMux: true,
    enableSrtp: true,
    srtpCryptoSuite: profile,
  });
  const socket: Socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const keyBytes = 16;
  const local = randomBytes(keyBytes + (profile === 'AEAD_AES_128_GCM' ? 12 : 14));
  await transport.connect({
    ip: '127.0.0.1',
    port: socket.address().port,
    srtpParameters: { cryptoSuite: profile, keyBase64: local.toString('base64') },
  });
  const remote = Buffer.from(transport.srtpParameters!.keyBase64, 'base64');
  const keys: SrtpKeys = {
    profile,
    localKey: local.subarray(0, keyBytes),
    localSalt: local.subarray(keyBytes),
    remoteKey: remote.subarray(0, keyBytes),
    remoteSalt: remote.subarray(keyBytes),
  };
  const session = new RtpSession({
    keys,
    cname: name,
    send: (packet) => {
      if (!end.drop(packet, 'out')) socket.send(packet, transport.tuple.localPort, '127.0.0.1');
    },
  });
  socket.on('message', (packet) => {
    if (!end.drop(packet, 'in')) session.receive(packet);
  });
  const end: End = {
    session,
    transport,
    drop: () => false,
    close: () => {
      session.close();
      socket.close();
      transport.close();
    },
  };
  return end;
}

const isMedia = (packet: Buffer, ssrc: number) =>
  (packet[1]! & 0x7f) === 96 && packet.readUInt32BE(8) === ssrc;

/** A VP8 frame whose content is its number; its first bytes are a real frame tag (and start code of 640×360). */
function vp8Frame(number: number, keyframe: boolean): Buffer {
  const data = Buffer.alloc(keyframe ? 9000 : 2500, number);
  const head = keyframe ? [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01] : [0x11, 0, 0];
  Buffer.from(head).copy(data);
  data.writeUInt32BE(number, 20);
  return data;
}

describe.each(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const)(
  'through mediasoup with %s',
  (profile) => {
    test('frames come through loss on both legs; reports, feedback and keyframe requests work both ways', async () => {
      const sendEnd = await connect(profile, 'sender');
      const receiveEnd = await connect(profile, 'receiver');
      const [ssrc, rtxSsrc] = [11_111, 22_222];
      const feedback = [
        { type: 'nack' },
        { type: 'nack', parameter: 'pli' },
        { type: 'ccm', parameter: 'fir' },
        { type: 'transport-cc' },
      ];
      const producer = await sendEnd.transport.produce({
        kind: 'video',
        rtpParameters: {
          mid: '0',
          codecs: [
            { mimeType: 'video/VP8', payloadType: 96, clockRate: 90_000, rtcpFeedback: feedback },
            { mimeType: 'video/rtx', payloadType: 97, clockRate: 90_000, parameters: { apt: 96 } },
          ],
          headerExtensions: [
            { uri: 'urn:ietf:params:rtp-hdrext:sdes:mid', id: 1 },
            { uri: 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time', id: 4 },
            { uri: 'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01', id: 5 },
          ],
          encodings: [{ ssrc, rtx: { ssrc: rtxSsrc } }],
          rtcp: { cname: 'sender' },
        },
      });
      const sender = sendEnd.session.addSender({
        kind: 'video',
        ssrc,
        rtxSsrc,
        payloadType: 96,
        rtxPayloadType: 97,
        clockRate: 90_000,
        mid: '0',
        extensions: { mid: 1, absSendTime: 4, transportCc: 5 },
        packetizer: createPacketizer('vp8'),
      });
      const consumer = await receiveEnd.transport.consume({
        producerId: producer.id,
        rtpCapabilities: router.rtpCapabilities,
        enableRtx: true,
      });
      const received = receiverParameters(consumer.rtpParameters);
      const receiver = receiveEnd.session.addReceiver({
        ...received,
        kind: 'video',
        nack: true,
        pli: true,
        transportCc: true,
        // Nothing is to be given up because this machine is busy: the repair is tested, not the machine.
        maxDelayMs: 2000,
      });
      const frames: ReceivedFrame[] = [];
      receiver.on('frame', (frame) => frames.push(frame));
      let acked = 0;
      sendEnd.session.on('transport-feedback', (report) => {
        acked += report.acked.length;
      });
      // Every twentieth media packet is lost on the way up, and every seventeenth on the way down.
      let up = 0;
      let down = 0;
      sendEnd.drop = (packet, direction) => direction === 'out' && isMedia(packet, ssrc) && ++up % 20 === 0;
      receiveEnd.drop = (packet, direction) =>
        direction === 'in' && isMedia(packet, received.ssrc) && ++down % 17 === 0;

      let keyframeWanted = false;
      sender.on('keyframe-request', () => {
        keyframeWanted = true;
      });
      const count = 150;
      const start = Date.now();
      let number = 0;
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          const keyframe = number === 0 || keyframeWanted;
          keyframeWanted = false;
          sender.sendFrame({
            data: vp8Frame(number, keyframe),
            keyframe,
            timestampUs: number * 20_000,
            captureTimeMs: start + number * 20,
          });
          number += 1;
          if (number === 100) receiver.requestKeyFrame();
          // The last frames are not lost for good just because nothing follows them.
          if (number < count + 20) return;
          clearInterval(timer);
          resolve();
        }, 20);
      });

      const numbers = frames.map(({ data }) => data.readUInt32BE(20));
      expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
      expect(new Set(numbers).size).toBe(numbers.length);
      const missing = Array.from({ length: count }, (_, i) => i).filter(
        (i) => i >= numbers[0]! && !numbers.includes(i),
      );
      expect(missing).toEqual([]);
      expect(numbers[0]).toBeLessThan(15);
      for (const { data } of frames) {
        const at = data.readUInt32BE(20);
        expect(data.equals(vp8Frame(at, data.length > 5000))).toBe(true);
      }
      expect(receiver.stats().retransmitted).toBeGreaterThan(15);
      expect(receiver.stats()).toMatchObject({ width: 640, height: 360 });
      expect(sender.stats().nacksReceived).toBeGreaterThan(10);
      expect(sender.stats().keyframeRequests).toBeGreaterThan(0);
      expect(frames.filter(({ keyframe }) => keyframe).length).toBeGreaterThan(1);
      // The SFU tells the sender what came, and both ends know their round trip.
      expect(acked).toBeGreaterThan(200);
      expect(sender.stats().rttMs).toBeLessThan(50);
      expect(receiveEnd.session.rttMs).toBeLessThan(50);
      // The SFU understood us as well.
      const [sent] = await producer.getStats();
      expect(sent).toMatchObject({ ssrc, rtxSsrc });
      expect(sent!.packetsRetransmitted).toBeGreaterThan(5);
      const outbound = (await consumer.getStats()).find(({ type }) => type === 'outbound-rtp');
      expect(outbound!.nackCount).toBeGreaterThan(5);
      expect(outbound!.pliCount).toBeGreaterThan(0);
      expect(frames.at(-1)!.captureTimeMs! - start).toBeGreaterThan(0);
      sendEnd.close();
      receiveEnd.close();
    });
  },
);

function receiverParameters({ codecs, encodings, headerExtensions = [] }: RtpParameters) {
  const [codec, rtx] = codecs;
  const [encoding] = encodings ?? [];
  if (!codec || !rtx || !encoding?.ssrc || !encoding.rtx) throw new Error('the consumer has no RTX');
  const transportCc = headerExtensions.find(({ uri }) => uri.includes('transport-wide-cc'));
  if (!transportCc) throw new Error('the consumer has no transport-cc');
  const depacketizer = createDepacketizer('vp8');
  return {
    ssrc: encoding.ssrc,
    rtxSsrc: encoding.rtx.ssrc,
    payloads: new Map([[codec.payloadType, { depacketizer, clockRate: 90_000, codec: 'vp8' as const }]]),
    rtxPayloads: new Map([[rtx.payloadType, codec.payloadType]]),
    extensions: { transportCc: transportCc.id },
  };
}

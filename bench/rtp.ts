/** What the client's RTP session costs for each packet: frame → SRTP packets, and SRTP packets → frame. */
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { RtpSession } from '../src/client/rtp/session.ts';
import type { SrtpKeys, SrtpProfile } from '../src/client/transport/types.ts';
import { createDepacketizer, createPacketizer } from '../src/media/rtp/index.ts';
import type { Benchmark, Figure } from './harness/figure.ts';

/** Ten packets of 1,200 bytes and a little each: a picture of 2.9 Mbit/s at 30 a second. */
const FRAME_BYTES = 11_900;
const FRAMES_A_TURN = 20;
const WARM_UP_TURNS = 100;
const TURNS = 400;

const extensions = { mid: 1, absSendTime: 2, transportCc: 3 };
const ssrc = 1;

function keyPair(profile: SrtpProfile): [SrtpKeys, SrtpKeys] {
  const saltBytes = profile === 'AEAD_AES_128_GCM' ? 12 : 14;
  const [localKey, remoteKey] = [randomBytes(16), randomBytes(16)];
  const [localSalt, remoteSalt] = [randomBytes(saltBytes), randomBytes(saltBytes)];
  return [
    { profile, localKey, localSalt, remoteKey, remoteSalt },
    { profile, localKey: remoteKey, localSalt: remoteSalt, remoteKey: localKey, remoteSalt: localSalt },
  ];
}

/** A VP8 keyframe's header, then noise: cipher and packetiser do not look at the rest. */
function frame(): Buffer {
  const data = randomBytes(FRAME_BYTES);
  Buffer.from([0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]).copy(data);
  return data;
}

function cpuUs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since);
  return user + system;
}

async function measure(profile: SrtpProfile): Promise<Figure[]> {
  const [sendKeys, receiveKeys] = keyPair(profile);
  let packets: Buffer[] = [];
  const sending = new RtpSession({
    keys: sendKeys,
    cname: 'bench',
    // Nothing waits in the pacer: its timer is not what is measured.
    targetBitrate: 1e12,
    send: (packet) => packets.push(packet),
  });
  const receiving = new RtpSession({ keys: receiveKeys, cname: 'bench', send: () => {} });
  const sender = sending.addSender({
    kind: 'video',
    ssrc,
    rtxSsrc: 2,
    payloadType: 96,
    rtxPayloadType: 97,
    clockRate: 90_000,
    mid: '0',
    extensions,
    packetizer: createPacketizer('vp8'),
  });
  const receiver = receiving.addReceiver({
    kind: 'video',
    ssrc,
    rtxSsrc: 2,
    payloads: new Map([[96, { depacketizer: createDepacketizer('vp8'), clockRate: 90_000, codec: 'vp8' }]]),
    rtxPayloads: new Map([[97, 96]]),
    nack: true,
    pli: true,
    transportCc: true,
    extensions,
  });
  let frames = 0;
  receiver.on('frame', () => {
    frames += 1;
  });

  const data = frame();
  let timestampUs = 0;
  let sent = 0;
  let received = 0;
  let sendUs = 0;
  let receiveUs = 0;
  for (let turn = -WARM_UP_TURNS; turn < TURNS; turn += 1) {
    packets = [];
    let from = process.cpuUsage();
    for (let i = 0; i < FRAMES_A_TURN; i += 1) {
      timestampUs += 33_333;
      sender.sendFrame({ data, keyframe: true, timestampUs, captureTimeMs: Date.now() });
    }
    if (turn >= 0) {
      sendUs += cpuUs(from);
      sent += packets.length;
    }
    from = process.cpuUsage();
    for (const packet of packets) receiving.receive(packet);
    // The turn of the event loop lets feedback and reports out, which belong to the cost.
    await nextTurn();
    if (turn >= 0) {
      receiveUs += cpuUs(from);
      received += packets.length;
    }
  }
  sending.close();
  receiving.close();
  const expected = (WARM_UP_TURNS + TURNS) * FRAMES_A_TURN;
  if (frames !== expected) throw new Error(`${frames} of ${expected} frames came through`);
  return [
    { name: `sent, ${profile}`, value: sendUs / sent, unit: 'µs/packet' },
    { name: `received, ${profile}`, value: receiveUs / received, unit: 'µs/packet' },
  ];
}

export const rtp: Benchmark = {
  name: 'rtp',
  title: 'CPU of the RTP session alone for each packet of 1,200 bytes: frame to SRTP packets, and back',
  run: async () => [...(await measure('AEAD_AES_128_GCM')), ...(await measure('AES_CM_128_HMAC_SHA1_80'))],
};

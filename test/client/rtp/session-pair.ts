import { randomBytes } from 'node:crypto';
import type { RtpReceiverOptions } from '../../../src/client/rtp/receiver.ts';
import type { RtpSenderOptions } from '../../../src/client/rtp/sender.ts';
import { RtpSession } from '../../../src/client/rtp/session.ts';
import type { SrtpKeys, SrtpProfile } from '../../../src/client/transport/types.ts';
import { FakeClock } from './fake-clock.ts';
import { testDepacketizer, testPacketizer } from './test-codec.ts';

export const SSRC = 1111;
export const RTX_SSRC = 2222;
export const extensions = {
  mid: 1,
  rid: 2,
  repairedRid: 3,
  absSendTime: 4,
  transportCc: 5,
  audioLevel: 6,
  absCaptureTime: 7,
};

/** Keys as both sides of a DTLS handshake have them. */
export function keyPair(profile: SrtpProfile): [SrtpKeys, SrtpKeys] {
  const saltBytes = profile === 'AEAD_AES_128_GCM' ? 12 : 14;
  const [localKey, remoteKey] = [randomBytes(16), randomBytes(16)];
  const [localSalt, remoteSalt] = [randomBytes(saltBytes), randomBytes(saltBytes)];
  return [
    { profile, localKey, localSalt, remoteKey, remoteSalt },
    { profile, localKey: remoteKey, localSalt: remoteSalt, remoteKey: localKey, remoteSalt: localSalt },
  ];
}

/** What the path does with a packet: delays in ms at which it arrives, none where it is lost. */
export type Path = (packet: Buffer) => readonly number[];

export interface PairOptions {
  readonly profile?: SrtpProfile;
  readonly forth?: Path;
  readonly back?: Path;
  readonly targetBitrate?: number;
}

/** Two sessions over paths in memory: `a` sends to `b`. */
export function sessionPair(options: PairOptions = {}) {
  const { profile = 'AEAD_AES_128_GCM', forth = () => [10], back = () => [10] } = options;
  const clock = new FakeClock();
  const [keysA, keysB] = keyPair(profile);
  const wire: { forth: Buffer[]; back: Buffer[] } = { forth: [], back: [] };
  const carry = (packet: Buffer, path: Path, to: () => RtpSession) => {
    for (const delayMs of path(packet)) clock.setTimer(() => to().receive(Buffer.from(packet)), delayMs);
  };
  const a: RtpSession = new RtpSession({
    keys: keysA,
    cname: 'a',
    clock,
    ...(options.targetBitrate !== undefined && { targetBitrate: options.targetBitrate }),
    send: (packet) => {
      wire.forth.push(packet);
      carry(packet, forth, () => b);
    },
  });
  const b: RtpSession = new RtpSession({
    keys: keysB,
    cname: 'b',
    clock,
    send: (packet) => {
      wire.back.push(packet);
      carry(packet, back, () => a);
    },
  });
  return { a, b, clock, wire, keysA, keysB };
}

export const videoSender: RtpSenderOptions = {
  kind: 'video',
  ssrc: SSRC,
  rtxSsrc: RTX_SSRC,
  payloadType: 96,
  rtxPayloadType: 97,
  clockRate: 90_000,
  mid: '0',
  rid: 'h',
  extensions,
  packetizer: testPacketizer(),
};

export const videoReceiver: RtpReceiverOptions = {
  kind: 'video',
  ssrc: SSRC,
  rtxSsrc: RTX_SSRC,
  payloads: new Map([[96, { depacketizer: testDepacketizer, clockRate: 90_000, codec: 'vp8' }]]),
  rtxPayloads: new Map([[97, 96]]),
  nack: true,
  pli: true,
  transportCc: true,
  extensions,
};

/** A frame whose content says its number. */
export function numberedFrame(number: number, bytes: number): Buffer {
  const frame = Buffer.alloc(Math.max(4, bytes), number & 0xff);
  frame.writeUInt32BE(number, 0);
  return frame;
}

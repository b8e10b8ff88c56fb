import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HeaderTemplate } from '../../../../src/client/rtp/header-template.ts';
import { parseRtpHeader } from '../../../../src/client/rtp/packet.ts';
import { serializeRtcp } from '../../../../src/client/rtp/rtcp/compound.ts';
import { estimateIndex, SrtpInbound } from '../../../../src/client/rtp/srtp/inbound.ts';
import { SrtpOutbound } from '../../../../src/client/rtp/srtp/outbound.ts';
import { ReplayWindow } from '../../../../src/client/rtp/srtp/replay-window.ts';

const ssrc = 0xcafe;

function contexts(profile: 'AEAD_AES_128_GCM' | 'AES_CM_128_HMAC_SHA1_80') {
  const key = randomBytes(16);
  const salt = randomBytes(profile === 'AEAD_AES_128_GCM' ? 12 : 14);
  const outbound = new SrtpOutbound(profile, key, salt);
  const inbound = new SrtpInbound(profile, key, salt);
  const template = new HeaderTemplate({ ssrc, payloadType: 96, extensions: { transportCc: 5 } });
  const protect = (index: number) => {
    const payload = Buffer.alloc(32);
    payload.writeUIntBE(index, 0, 6);
    const fields = {
      marker: false,
      sequenceNumber: index & 0xffff,
      timestamp: 1,
      transportSequence: 0,
      nowMs: 0,
    };
    return outbound.protectRtp(template, fields, payload, ssrc, index);
  };
  const unprotect = (packet: Buffer) => {
    const header = parseRtpHeader(packet);
    return header && inbound.unprotectRtp(packet, header)?.readUIntBE(0, 6);
  };
  return { outbound, inbound, protect, unprotect };
}

describe.each(['AEAD_AES_128_GCM', 'AES_CM_128_HMAC_SHA1_80'] as const)('%s', (profile) => {
  test('goes on over the wrap of the sequence number, in order and not', () => {
    const { protect, unprotect } = contexts(profile);
    for (const index of [65_533, 65_535, 65_536, 65_534, 65_538, 65_537, 90_000, 120_000, 131_071, 131_072]) {
      expect(unprotect(protect(index))).toBe(index);
    }
  });

  test('survives the loss of 30,000 packets across the wrap, again and again', () => {
    const { protect, unprotect } = contexts(profile);
    for (let index = 50_000; index < 600_000; index += 30_000) expect(unprotect(protect(index))).toBe(index);
  });

  test('finds a stream again that lost more than half the range', () => {
    const { protect, unprotect } = contexts(profile);
    expect(unprotect(protect(1000))).toBe(1000);
    const after = Array.from({ length: 40 }, (_, i) => unprotect(protect(1000 + 60_000 + i)));
    expect(after.at(-1)).toBe(1000 + 60_039);
  });

  test('finds a stream whose packets before the first wrap were lost', () => {
    const { protect, unprotect } = contexts(profile);
    expect(unprotect(protect(65_536 + 3))).toBe(65_539);
  });

  test('refuses replays and packets older than the window', () => {
    const { protect, unprotect } = contexts(profile);
    const packets = Array.from({ length: 1100 }, (_, i) => protect(65_000 + i));
    const [first, ...rest] = packets;
    for (const packet of rest) expect(unprotect(packet)).toBeDefined();
    for (const packet of rest) expect(unprotect(packet)).toBeUndefined();
    expect(unprotect(first!)).toBeUndefined();
  });

  test('refuses changed, cut and forged packets and goes on after them', () => {
    const { protect, unprotect } = contexts(profile);
    expect(unprotect(protect(10))).toBe(10);
    const packet = protect(11);
    for (let at = 0; at < packet.length; at += 1) {
      const changed = Buffer.from(packet);
      changed[at]! ^= 0x04;
      expect(unprotect(changed)).toBeUndefined();
      expect(unprotect(packet.subarray(0, at))).toBeUndefined();
    }
    const forged = protect(40_000);
    forged[forged.length - 1]! ^= 1;
    expect(unprotect(forged)).toBeUndefined();
    expect(unprotect(packet)).toBe(11);
  });

  test('protects RTCP, and refuses its replay and change', () => {
    const { outbound, inbound } = contexts(profile);
    const compound = serializeRtcp([{ type: 'picture-loss-indication', senderSsrc: 1, mediaSsrc: 2 }]);
    const first = outbound.protectRtcp(compound);
    const second = outbound.protectRtcp(compound);
    expect(second.equals(first)).toBe(false);
    expect(inbound.unprotectRtcp(second)).toEqual(compound);
    expect(inbound.unprotectRtcp(first)).toEqual(compound);
    expect(inbound.unprotectRtcp(first)).toBeUndefined();
    const third = outbound.protectRtcp(compound);
    for (let at = 0; at < third.length; at += 1) {
      const changed = Buffer.from(third);
      changed[at]! ^= 0x10;
      expect(inbound.unprotectRtcp(changed)).toBeUndefined();
      expect(inbound.unprotectRtcp(third.subarray(0, at))).toBeUndefined();
    }
    expect(inbound.unprotectRtcp(third)).toEqual(compound);
  });
});

test('the estimated index is the nearest one with that sequence number', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 65_536, max: 2 ** 47 }),
      fc.integer({ min: -32_767, max: 32_767 }),
      (highest, distance) => {
        expect(estimateIndex(highest, (highest + distance) % 65_536)).toBe(highest + distance);
      },
    ),
  );
  expect(estimateIndex(5, 65_530)).toBe(65_530);
});

test('the replay window agrees with a set', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 400 }), (indices) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = -1;
      for (const index of indices) {
        const isNew = !seen.has(index) && index > highest - 1024;
        expect(window.isNew(index)).toBe(isNew);
        if (!isNew) continue;
        window.accept(index);
        seen.add(index);
        highest = Math.max(highest, index);
      }
    }),
  );
});

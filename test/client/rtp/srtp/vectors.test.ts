import { createCipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseRtpHeader } from '../../../../src/client/rtp/packet.ts';
import { AesCmCipher } from '../../../../src/client/rtp/srtp/aes-cm.ts';
import { AesGcmCipher } from '../../../../src/client/rtp/srtp/aes-gcm.ts';
import { deriveKey, keyLabels } from '../../../../src/client/rtp/srtp/key-derivation.ts';
import { createCipher } from '../../../../src/client/rtp/srtp/profile.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

test('key derivation, RFC 3711 appendix B.3', () => {
  const key = hex('E1F97A0D3E018BE0D64FA32C06DE4139');
  const salt = hex('0EC675AD498AFEEBB6960B3AABE6');
  const derive = (label: number, length: number) => deriveKey(key, salt, label, length);
  expect(derive(keyLabels.rtpEncryption, 16)).toEqual(hex('C61E7A93744F39EE10734AFE3FF7A087'));
  expect(derive(keyLabels.rtpSalt, 14)).toEqual(hex('30CBBC08863D8C85D49DB34A9AE1'));
  expect(derive(keyLabels.rtpAuthentication, 94)).toEqual(
    hex(`CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE
         E049646C43D9327AD175578EF7227098 6371C10C9A369AC2F94A8C5FBCDDDC25
         6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2`),
  );
});

test('AES-CM keystream, RFC 3711 appendix B.2', () => {
  // SSRC and index are zero there, so the counter block is the salt alone.
  const iv = hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000');
  const cipher = createCipheriv('aes-128-ctr', hex('2B7E151628AED2A6ABF7158809CF4F3C'), iv);
  const keystream = hex(`E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB
    41E95B3BB0A2E8DD477901E4FCA894C0`);
  expect(cipher.update(Buffer.alloc(48))).toEqual(keystream);

  const keys = {
    encryption: hex('2B7E151628AED2A6ABF7158809CF4F3C'),
    salt: hex('F0F1F2F3F4F5F6F7F8F9FAFBFCFD'),
    authentication: Buffer.alloc(20),
  };
  const packet = Buffer.alloc(12 + 48 + 10);
  new AesCmCipher({ rtp: keys, rtcp: keys }).encryptRtp(packet, 12, Buffer.alloc(48), 0, 0);
  expect(packet.subarray(12, 60)).toEqual(keystream);
});

test('AEAD_AES_128_GCM of RTP, RFC 7714 section 16.1', () => {
  const keys = {
    encryption: hex('000102030405060708090a0b0c0d0e0f'),
    salt: hex('517569642070726f2071756f'),
    authentication: Buffer.alloc(0),
  };
  const plain = hex(`8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
    69736120 696e2070 61727465 73207472 6573`);
  const sealed = hex(`8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5
    0d294e6f 42a5f47a 51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce`);
  const header = parseRtpHeader(plain)!;
  const cipher = new AesGcmCipher({ rtp: keys, rtcp: keys });
  const packet = Buffer.alloc(plain.length + 16);
  plain.copy(packet, 0, 0, 12);
  cipher.encryptRtp(packet, 12, plain.subarray(12), header.ssrc, header.sequenceNumber);
  expect(packet).toEqual(sealed);
  expect(cipher.decryptRtp(sealed, 12, header.ssrc, header.sequenceNumber)).toEqual(plain.subarray(12));
});

test('AEAD_AES_128_GCM of RTCP, RFC 7714 section 17.1', () => {
  const keys = {
    encryption: hex('000102030405060708090a0b0c0d0e0f'),
    salt: hex('517569642070726f2071756f'),
    authentication: Buffer.alloc(0),
  };
  const plain = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
    deadbeef deadbeef deadbeef deadbeef deadbeef`);
  const sealed = hex(`81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d
    c676a5f1 730d6fda 4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4`);
  const cipher = new AesGcmCipher({ rtp: keys, rtcp: keys });
  expect(cipher.encryptRtcp(plain, 0x5d4)).toEqual(sealed);
  expect(cipher.rtcpIndex(sealed)).toBe(0x5d4);
  expect(cipher.decryptRtcp(sealed)).toEqual(plain);
});

test('AEAD_AES_128_GCM of RTCP that is only authenticated, RFC 7714 section 9.3', () => {
  const keys = {
    encryption: hex('000102030405060708090a0b0c0d0e0f'),
    salt: hex('517569642070726f2071756f'),
    authentication: Buffer.alloc(0),
  };
  const cipher = new AesGcmCipher({ rtp: keys, rtcp: keys });
  const sealed = hex(`81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
    deadbeef deadbeef deadbeef deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4`);
  expect(cipher.decryptRtcp(sealed)).toEqual(sealed.subarray(0, -20));
  sealed[20]! ^= 1;
  expect(cipher.decryptRtcp(sealed)).toBeUndefined();
});

test('AES_CM_128_HMAC_SHA1_80 packets of libsrtp’s validation', () => {
  const cipher = createCipher(
    'AES_CM_128_HMAC_SHA1_80',
    hex('e1f97a0d3e018be0d64fa32c06de4139'),
    hex('0ec675ad498afeebb6960b3aabe6'),
  );
  const rtp = hex('800f1234 decafbad cafebabe 4e55dc4ce79978d88ca4d215949d2402 b78d6acc99ea179b8dbb');
  const payload = Buffer.alloc(16, 0xab);
  expect(cipher.decryptRtp(rtp, 12, 0xcafebabe, 0x1234)).toEqual(payload);
  const packet = Buffer.alloc(12 + 16 + 10);
  rtp.copy(packet, 0, 0, 12);
  cipher.encryptRtp(packet, 12, payload, 0xcafebabe, 0x1234);
  expect(packet).toEqual(rtp);

  const rtcp = hex('81c8000b cafebabe 7128035be487b9bdbef89041f977a5a8 80000001 993e08cd54d6c1230798');
  const compound = hex('81c8000b cafebabe abababababababababababababababab');
  expect(cipher.decryptRtcp(rtcp)).toEqual(compound);
  expect(cipher.encryptRtcp(compound, 1)).toEqual(rtcp);
});

test('keys of the wrong size are refused', () => {
  expect(() => createCipher('AEAD_AES_128_GCM', Buffer.alloc(16), Buffer.alloc(14))).toThrow(RangeError);
});

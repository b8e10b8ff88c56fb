import { createCipheriv } from 'node:crypto';
import type { SrtpProfile } from '../../transport/types.ts';

/** Labels of RFC 3711 section 4.3.1 and 4.3.2. */
export const keyLabels = {
  rtpEncryption: 0,
  rtpAuthentication: 1,
  rtpSalt: 2,
  rtcpEncryption: 3,
  rtcpAuthentication: 4,
  rtcpSalt: 5,
} as const;

/** Bytes of key and salt of each profile (RFC 3711 section 8.2, RFC 7714 section 12). */
const profileSizes: Readonly<Record<SrtpProfile, { key: number; salt: number }>> = {
  AEAD_AES_128_GCM: { key: 16, salt: 12 },
  AES_CM_128_HMAC_SHA1_80: { key: 16, salt: 14 },
};

/**
 * AES-CM key derivation with a key derivation rate of zero (RFC 3711 section 4.3.3). A 12-byte salt, as the
 * AEAD profiles have, is padded with zeros on the right (RFC 7714 section 11).
 */
export function deriveKey(masterKey: Buffer, masterSalt: Buffer, label: number, length: number): Buffer {
  const iv = Buffer.alloc(16);
  masterSalt.copy(iv, 0, 0, 14);
  iv[7] = iv[7]! ^ label;
  return createCipheriv('aes-128-ctr', masterKey, iv).update(Buffer.alloc(length));
}

/** Session keys of one direction, for RTP or for RTCP. */
export interface SessionKeys {
  readonly encryption: Buffer;
  readonly salt: Buffer;
  /** HMAC-SHA1 key; unused by AEAD profiles. */
  readonly authentication: Buffer;
}

export function deriveSessionKeys(
  profile: SrtpProfile,
  masterKey: Buffer,
  masterSalt: Buffer,
): { rtp: SessionKeys; rtcp: SessionKeys } {
  const { key, salt } = profileSizes[profile];
  if (masterKey.length !== key || masterSalt.length !== salt) {
    throw new RangeError(`${profile} needs a key of ${key} and a salt of ${salt} bytes`);
  }
  const derive = (label: number, length: number) => deriveKey(masterKey, masterSalt, label, length);
  return {
    rtp: {
      encryption: derive(keyLabels.rtpEncryption, key),
      salt: derive(keyLabels.rtpSalt, salt),
      authentication: derive(keyLabels.rtpAuthentication, 20),
    },
    rtcp: {
      encryption: derive(keyLabels.rtcpEncryption, key),
      salt: derive(keyLabels.rtcpSalt, salt),
      authentication: derive(keyLabels.rtcpAuthentication, 20),
    },
  };
}

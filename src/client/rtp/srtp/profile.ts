import type { SrtpProfile } from '../../transport/types.ts';
import { AesCmCipher } from './aes-cm.ts';
import { AesGcmCipher } from './aes-gcm.ts';
import type { SrtpCipher } from './cipher.ts';
import { deriveSessionKeys } from './key-derivation.ts';

/** One direction of a protection profile; throws a `RangeError` for keys of the wrong size. */
export function createCipher(profile: SrtpProfile, masterKey: Buffer, masterSalt: Buffer): SrtpCipher {
  const keys = deriveSessionKeys(profile, masterKey, masterSalt);
  return profile === 'AEAD_AES_128_GCM' ? new AesGcmCipher(keys) : new AesCmCipher(keys);
}

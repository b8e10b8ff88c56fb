import type { SrtpProfile } from '../../transport/types.ts';
import type { HeaderFields, HeaderTemplate } from '../header-template.ts';
import type { SrtpCipher } from './cipher.ts';
import { createCipher } from './profile.ts';

/** Encrypts what one side of a session sends. */
export class SrtpOutbound {
  readonly #cipher: SrtpCipher;
  #rtcpIndex = 0;

  constructor(profile: SrtpProfile, masterKey: Buffer, masterSalt: Buffer) {
    this.#cipher = createCipher(profile, masterKey, masterSalt);
  }

  /** Bytes that protection adds to an RTP packet. */
  get overhead(): number {
    return this.#cipher.tagLength;
  }

  /**
   * A whole SRTP packet. `index` is rollover counter · 2^16 + sequence number and must never be used twice for
   * one SSRC with other content: that would give the keystream away, and with GCM the authentication key too.
   */
  protectRtp(
    template: HeaderTemplate,
    fields: HeaderFields,
    payload: Buffer,
    ssrc: number,
    index: number,
  ): Buffer {
    const packet = Buffer.allocUnsafe(template.byteLength + payload.length + this.#cipher.tagLength);
    template.write(packet, fields);
    this.#cipher.encryptRtp(packet, template.byteLength, payload, ssrc, index);
    return packet;
  }

  /**
   * A whole SRTCP packet. One index counts for all SSRCs of the session; gaps in it are allowed, and it stays
   * unique for each.
   */
  protectRtcp(compound: Buffer): Buffer {
    this.#rtcpIndex = (this.#rtcpIndex + 1) % 2 ** 31;
    return this.#cipher.encryptRtcp(compound, this.#rtcpIndex);
  }
}

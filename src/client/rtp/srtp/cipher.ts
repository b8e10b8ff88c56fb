/** One direction of one profile, without memory of what passed: rollover and replay are its callers'. */
export interface SrtpCipher {
  /** Bytes that SRTP adds to a packet. */
  readonly tagLength: number;
  /**
   * Encrypts `payload` into `packet`, whose first `headerLength` bytes hold the header already and whose
   * length is header + payload + tag.
   */
  encryptRtp(packet: Buffer, headerLength: number, payload: Buffer, ssrc: number, index: number): void;
  /** The payload, in memory of its own; `undefined` where authentication fails. */
  decryptRtp(packet: Buffer, headerLength: number, ssrc: number, index: number): Buffer | undefined;
  encryptRtcp(packet: Buffer, index: number): Buffer;
  /** The plain compound packet, in memory of its own; `undefined` where authentication fails. */
  decryptRtcp(packet: Buffer): Buffer | undefined;
  /** SRTCP index of a packet, not yet authenticated; `undefined` where the packet is too short. */
  rtcpIndex(packet: Buffer): number | undefined;
}

/** Set in the word that ends an SRTCP packet when it is encrypted; the rest is the index. */
export const SRTCP_E_FLAG = 0x8000_0000;
/** The first header and sender SSRC of a compound packet stay readable. */
export const RTCP_CLEAR_BYTES = 8;

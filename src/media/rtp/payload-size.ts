/**
 * Default limit of a payload in bytes. With IPv6 (40), UDP (8), the RTP header (12), our header extensions
 * (up to 32) and the SRTP tag (16) a packet stays under 1280 bytes, the least MTU of IPv6, and with IPv4
 * and no extension to speak of under 1200 and a bit, which every tunnel passes.
 */
export const DEFAULT_MAX_PAYLOAD_BYTES = 1150;

/** Smallest limit that leaves room for every descriptor and some payload. */
const MIN_MAX_PAYLOAD_BYTES = 64;

/** The limit to use. Throws a RangeError for one that no payload format can keep. */
export function maxPayloadBytes(requested: number | undefined): number {
  const limit = requested ?? DEFAULT_MAX_PAYLOAD_BYTES;
  if (!Number.isInteger(limit) || limit < MIN_MAX_PAYLOAD_BYTES || limit > 65_000) {
    throw new RangeError(`maxPayloadBytes must be ${MIN_MAX_PAYLOAD_BYTES} to 65000, not ${limit}`);
  }
  return limit;
}

/**
 * Sizes of the pieces of `total` bytes in as few pieces of at most `limit` bytes as it takes, as even as
 * can be: equal packets are lost and paced more evenly than a train of full ones with a crumb at its end.
 */
export function evenPieces(total: number, limit: number): number[] {
  const count = Math.max(1, Math.ceil(total / limit));
  const base = Math.floor(total / count);
  const larger = total % count;
  return Array.from({ length: count }, (_, i) => (i < larger ? base + 1 : base));
}

/** RTP packets (RFC 3550 section 5.1) with header extensions (RFC 8285). */

export interface RtpHeader {
  readonly marker: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly csrcs: readonly number[];
  /** The payload ends in padding whose last byte counts it; readable only after decryption. */
  readonly padding: boolean;
  /** Bytes before the payload. */
  readonly headerLength: number;
  /** `defined by profile` of the extension block; 0 where there is none. */
  readonly extensionProfile: number;
  /** Where the extension elements begin, and their bytes. */
  readonly extensionOffset: number;
  readonly extensionLength: number;
}

export interface HeaderExtension {
  readonly id: number;
  readonly data: Buffer;
}

/** What `serializeRtp` writes. */
export interface RtpPacketInit {
  readonly marker?: boolean;
  readonly payloadType: number;
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly ssrc: number;
  readonly csrcs?: readonly number[];
  readonly extensions?: readonly HeaderExtension[];
  readonly payload: Buffer;
  /** Bytes of padding to add, 0 to 255. */
  readonly padding?: number;
}

export const RTP_FIXED_HEADER_BYTES = 12;
/** `defined by profile` of one-byte elements (RFC 8285 section 4.2). */
const ONE_BYTE_PROFILE = 0xbede;
/** `defined by profile` of two-byte elements, the low four bits being free (RFC 8285 section 4.3). */
export const TWO_BYTE_PROFILE = 0x1000;

const noCsrcs: readonly number[] = [];

/** Whether a packet of a multiplexed transport is RTCP (RFC 5761 section 4). */
export function isRtcp(packet: Buffer): boolean {
  const type = packet[1];
  return type !== undefined && type >= 192 && type <= 223;
}

/** The header, or `undefined` where the bytes are no RTP packet. */
export function parseRtpHeader(packet: Buffer): RtpHeader | undefined {
  if (packet.length < RTP_FIXED_HEADER_BYTES) return undefined;
  const first = packet[0]!;
  if (first >> 6 !== 2) return undefined;
  const csrcCount = first & 0x0f;
  let offset = RTP_FIXED_HEADER_BYTES + csrcCount * 4;
  if (packet.length < offset) return undefined;
  let csrcs = noCsrcs;
  if (csrcCount > 0) {
    csrcs = Array.from({ length: csrcCount }, (_, i) => packet.readUInt32BE(RTP_FIXED_HEADER_BYTES + i * 4));
  }
  let extensionProfile = 0;
  let extensionOffset = offset;
  let extensionLength = 0;
  if (first & 0x10) {
    if (packet.length < offset + 4) return undefined;
    extensionProfile = packet.readUInt16BE(offset);
    extensionLength = packet.readUInt16BE(offset + 2) * 4;
    extensionOffset = offset + 4;
    offset = extensionOffset + extensionLength;
    if (packet.length < offset) return undefined;
  }
  const second = packet[1]!;
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    ssrc: packet.readUInt32BE(8),
    csrcs,
    padding: (first & 0x20) !== 0,
    headerLength: offset,
    extensionProfile,
    extensionOffset,
    extensionLength,
  };
}

/** Calls `visit` for each extension element until it gives `true`. Malformed rests are passed over. */
function visitExtensions(
  packet: Buffer,
  header: RtpHeader,
  visit: (id: number, start: number, length: number) => boolean,
): void {
  const end = header.extensionOffset + header.extensionLength;
  let at = header.extensionOffset;
  if (header.extensionProfile === ONE_BYTE_PROFILE) {
    while (at < end) {
      const head = packet[at]!;
      const id = head >> 4;
      if (id === 15) return; // RFC 8285 section 4.2: nothing after this id is to be read.
      if (id === 0) {
        at += 1;
        continue;
      }
      const length = (head & 0x0f) + 1;
      if (at + 1 + length > end || visit(id, at + 1, length)) return;
      at += 1 + length;
    }
    return;
  }
  if ((header.extensionProfile & 0xfff0) !== TWO_BYTE_PROFILE) return;
  while (at + 1 < end) {
    const id = packet[at]!;
    if (id === 0) {
      at += 1;
      continue;
    }
    const length = packet[at + 1]!;
    if (at + 2 + length > end || visit(id, at + 2, length)) return;
    at += 2 + length;
  }
}

/** The value of one header extension; it shares the packet's memory. */
export function readExtension(packet: Buffer, header: RtpHeader, id: number): Buffer | undefined {
  let value: Buffer | undefined;
  if (header.extensionLength === 0) return undefined;
  visitExtensions(packet, header, (found, start, length) => {
    if (found !== id) return false;
    value = packet.subarray(start, start + length);
    return true;
  });
  return value;
}

/** All header extensions in their order. */
export function readExtensions(packet: Buffer, header: RtpHeader): HeaderExtension[] {
  const extensions: HeaderExtension[] = [];
  visitExtensions(packet, header, (id, start, length) => {
    extensions.push({ id, data: packet.subarray(start, start + length) });
    return false;
  });
  return extensions;
}

/** The payload without its padding; `undefined` where the padding count cannot be. */
export function stripPadding(payload: Buffer, header: RtpHeader): Buffer | undefined {
  if (!header.padding) return payload;
  const count = payload.at(-1);
  if (count === undefined || count === 0 || count > payload.length) return undefined;
  return payload.subarray(0, payload.length - count);
}

/**
 * The extension block with its four-byte head, one-byte elements where all fit and two-byte ones otherwise
 * (ids above 14, values of no or more than 16 bytes).
 */
export function serializeExtensions(extensions: readonly HeaderExtension[]): Buffer {
  const twoByte = extensions.some(({ id, data }) => id > 14 || data.length === 0 || data.length > 16);
  const parts = extensions.flatMap(({ id, data }) => [
    Buffer.from(twoByte ? [id, data.length] : [(id << 4) | (data.length - 1)]),
    data,
  ]);
  const elements = Buffer.concat(parts);
  const words = Math.ceil(elements.length / 4);
  const block = Buffer.alloc(4 + words * 4);
  block.writeUInt16BE(twoByte ? TWO_BYTE_PROFILE : ONE_BYTE_PROFILE, 0);
  block.writeUInt16BE(words, 2);
  elements.copy(block, 4);
  return block;
}

/** A whole packet, unencrypted. */
export function serializeRtp(init: RtpPacketInit): Buffer {
  const { csrcs = noCsrcs, extensions = [], padding = 0 } = init;
  const fixed = Buffer.alloc(RTP_FIXED_HEADER_BYTES + csrcs.length * 4);
  fixed[0] = 0x80 | (padding > 0 ? 0x20 : 0) | (extensions.length > 0 ? 0x10 : 0) | csrcs.length;
  fixed[1] = (init.marker ? 0x80 : 0) | init.payloadType;
  fixed.writeUInt16BE(init.sequenceNumber, 2);
  fixed.writeUInt32BE(init.timestamp, 4);
  fixed.writeUInt32BE(init.ssrc, 8);
  csrcs.forEach((csrc, i) => {
    fixed.writeUInt32BE(csrc, RTP_FIXED_HEADER_BYTES + i * 4);
  });
  const tail = Buffer.alloc(padding);
  if (padding > 0) tail[padding - 1] = padding;
  const block = extensions.length > 0 ? serializeExtensions(extensions) : Buffer.alloc(0);
  return Buffer.concat([fixed, block, init.payload, tail]);
}

/** What the first bytes of an Opus packet say, RFC 6716 section 3. */

export interface OpusPacket {
  readonly mode: 'silk' | 'hybrid' | 'celt';
  readonly channels: 1 | 2;
  /** Frames in the packet. */
  readonly frames: number;
  /** Duration of all frames, microseconds; 2 500 to 120 000. */
  readonly durationUs: number;
}

/** Opus packets longer than this are malformed, RFC 6716 section 3.4, R5. */
const MAX_DURATION_US = 120_000;

/** Largest frame in bytes, RFC 6716 section 3.4, R2. */
const MAX_FRAME_BYTES = 1275;

const SILK_FRAME_US = [10_000, 20_000, 40_000, 60_000] as const;
const HYBRID_FRAME_US = [10_000, 20_000] as const;
const CELT_FRAME_US = [2_500, 5_000, 10_000, 20_000] as const;

/** Duration of one frame by its TOC byte, microseconds (RFC 6716 section 3.1, table 2). */
export function opusFrameDurationUs(toc: number): number {
  const config = (toc >> 3) & 31;
  if (config < 12) return SILK_FRAME_US[config & 3]!;
  if (config < 16) return HYBRID_FRAME_US[config & 1]!;
  return CELT_FRAME_US[config & 3]!;
}

/**
 * Reads the packet's TOC byte and frame count and checks its framing (R1 to R7). `undefined` for what is
 * not an Opus packet, also for one of no bytes. A packet of a TOC byte alone is DTX and valid.
 */
export function parseOpusPacket(packet: Uint8Array): OpusPacket | undefined {
  const toc = packet[0];
  if (toc === undefined) return undefined;
  const frames = countFrames(packet, toc & 3);
  if (frames === undefined) return undefined;
  const durationUs = frames * opusFrameDurationUs(toc);
  if (durationUs > MAX_DURATION_US) return undefined;
  const config = (toc >> 3) & 31;
  return {
    mode: config < 12 ? 'silk' : config < 16 ? 'hybrid' : 'celt',
    channels: (toc & 4) === 0 ? 1 : 2,
    frames,
    durationUs,
  };
}

/** Duration of the whole packet, microseconds; `undefined` where it is malformed. */
export function opusDurationUs(packet: Uint8Array): number | undefined {
  return parseOpusPacket(packet)?.durationUs;
}

function countFrames(packet: Uint8Array, code: number): number | undefined {
  const length = packet.length;
  if (code === 0) return length - 1 <= MAX_FRAME_BYTES ? 1 : undefined;
  if (code === 1) {
    const bytes = length - 1;
    return bytes % 2 === 0 && bytes / 2 <= MAX_FRAME_BYTES ? 2 : undefined;
  }
  if (code === 2) {
    const first = frameLength(packet, 1, length);
    if (first === undefined) return undefined;
    const rest = length - first.next - first.bytes;
    return rest >= 0 && rest <= MAX_FRAME_BYTES ? 2 : undefined;
  }
  return countCode3Frames(packet);
}

/** Code 3: any number of frames with padding, RFC 6716 section 3.2.5. */
function countCode3Frames(packet: Uint8Array): number | undefined {
  const header = packet[1];
  if (header === undefined) return undefined;
  const frames = header & 63;
  if (frames === 0) return undefined;
  let offset = 2;
  let end = packet.length;
  if ((header & 0x40) !== 0) {
    let more: number | undefined;
    do {
      more = packet[offset++];
      if (more === undefined) return undefined;
      end -= more === 255 ? 254 : more;
    } while (more === 255);
  }
  if (end < offset) return undefined;
  if ((header & 0x80) === 0) {
    const bytes = end - offset;
    return bytes % frames === 0 && bytes / frames <= MAX_FRAME_BYTES ? frames : undefined;
  }
  let used = 0;
  for (let i = 0; i < frames - 1; i++) {
    const frame = frameLength(packet, offset, end);
    if (frame === undefined) return undefined;
    offset = frame.next;
    used += frame.bytes;
  }
  const last = end - offset - used;
  return last >= 0 && last <= MAX_FRAME_BYTES ? frames : undefined;
}

/** One- or two-byte frame length, RFC 6716 section 3.2.1. */
function frameLength(
  packet: Uint8Array,
  offset: number,
  end: number,
): { readonly bytes: number; readonly next: number } | undefined {
  if (offset >= end) return undefined;
  const first = packet[offset]!;
  if (first < 252) return { bytes: first, next: offset + 1 };
  if (offset + 1 >= end) return undefined;
  return { bytes: first + packet[offset + 1]! * 4, next: offset + 2 };
}

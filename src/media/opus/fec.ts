import { opusFrameDurationUs, parseOpusPacket } from '../rtp/opus-packet.ts';

/** Frames of a SILK packet have their own flags; longer packets hold several frames of 20 ms. */
const SILK_FRAME_US = 20_000;

/**
 * Whether the packet carries the one before it once more, in less quality (LBRR, RFC 6716 section 4.2.4). The flags
 * are the first symbols of the range coder, each of even probability, so they stand in the first byte as they are.
 */
export function hasFec(packet: Uint8Array): boolean {
  const parsed = parseOpusPacket(packet);
  if (parsed === undefined || parsed.mode === 'celt') return false;
  const first = packet[firstFrameOffset(packet)];
  if (first === undefined) return false;
  const frames = Math.max(1, opusFrameDurationUs(packet[0]!) / SILK_FRAME_US);
  const mid = (first >> (7 - frames)) & 1;
  const side = parsed.channels === 2 ? (first >> (6 - 2 * frames)) & 1 : 0;
  return mid === 1 || side === 1;
}

/** Where the first frame begins in a packet that is well-formed, RFC 6716 section 3.2. */
function firstFrameOffset(packet: Uint8Array): number {
  const code = packet[0]! & 3;
  const lengthBytes = (at: number) => (packet[at]! < 252 ? 1 : 2);
  if (code < 2) return 1;
  if (code === 2) return 1 + lengthBytes(1);
  const header = packet[1]!;
  let at = 2;
  if (header & 0x40) {
    while (packet[at] === 255) at += 1;
    at += 1;
  }
  if (header & 0x80) for (let i = 0; i < (header & 63) - 1; i += 1) at += lengthBytes(at);
  return at;
}

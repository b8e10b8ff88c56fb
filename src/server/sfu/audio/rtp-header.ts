/** The fields of RTP packets that audio slots read, in packets as the worker gives them. */

export interface AudioPacket {
  readonly sequenceNumber: number;
  readonly timestamp: number;
  readonly marker: boolean;
  /** Bytes. */
  readonly payloadLength: number;
  /** RFC 6464, dBov, −127 to 0; `undefined` where the sender does not say. */
  readonly level: number | undefined;
  /** When it was captured, by the clock of the router that gave the packet, ms since the epoch. */
  readonly capturedAt: number | undefined;
}

export interface AudioExtensionIds {
  readonly level: number | undefined;
  readonly captureTime: number | undefined;
}

const ONE_BYTE_PROFILE = 0xbede;
/** Seconds from 1900, NTP's epoch, to 1970. */
const NTP_EPOCH_S = 2_208_988_800;

/** Reads a packet; `undefined` when its lengths contradict one another. */
export function readAudioPacket(packet: Buffer, ids: AudioExtensionIds): AudioPacket | undefined {
  if (packet.length < 12 || packet[0]! >> 6 !== 2) return undefined;
  let offset = 12 + (packet[0]! & 0x0f) * 4;
  let level: number | undefined;
  let capturedAt: number | undefined;
  if (packet[0]! & 0x10) {
    if (packet.length < offset + 4) return undefined;
    const profile = packet.readUInt16BE(offset);
    const end = offset + 4 + packet.readUInt16BE(offset + 2) * 4;
    if (packet.length < end) return undefined;
    const visit = (id: number, at: number, length: number): void => {
      if (id === ids.level && length === 1) level = -(packet[at]! & 0x7f);
      else if (id === ids.captureTime && length >= 8) capturedAt = captureTime(packet, at, length);
    };
    visitElements(packet, offset + 4, end, profile, visit);
    offset = end;
  }
  const padding = packet[0]! & 0x20 ? packet.at(-1)! : 0;
  const payloadLength = packet.length - offset - padding;
  if (payloadLength < 0) return undefined;
  return {
    sequenceNumber: packet.readUInt16BE(2),
    timestamp: packet.readUInt32BE(4),
    marker: (packet[1]! & 0x80) !== 0,
    payloadLength,
    level,
    capturedAt,
  };
}

/** RFC 8285: one-byte elements (section 4.2) or two-byte ones (section 4.3). */
function visitElements(
  packet: Buffer,
  start: number,
  end: number,
  profile: number,
  visit: (id: number, at: number, length: number) => void,
): void {
  const oneByte = profile === ONE_BYTE_PROFILE;
  if (!oneByte && profile >> 4 !== 0x100) return;
  for (let at = start; at < end; ) {
    const head = packet[at]!;
    const id = oneByte ? head >> 4 : head;
    if (id === 0) {
      at += 1;
      continue;
    }
    if ((oneByte && id === 15) || (!oneByte && at + 1 >= end)) return;
    const length = oneByte ? (head & 0x0f) + 1 : packet[at + 1]!;
    const value = at + (oneByte ? 1 : 2);
    if (value + length > end) return;
    visit(id, value, length);
    at = value + length;
  }
}

/** abs-capture-time: when, and optionally how far the capturing clock is ahead of the sender's, here the router's. */
function captureTime(packet: Buffer, at: number, length: number): number {
  const ntpMs =
    (packet.readUInt32BE(at) - NTP_EPOCH_S) * 1000 + (packet.readUInt32BE(at + 4) * 1000) / 2 ** 32;
  if (length < 16) return ntpMs;
  return ntpMs - packet.readInt32BE(at + 8) * 1000 - (packet.readUInt32BE(at + 12) * 1000) / 2 ** 32;
}

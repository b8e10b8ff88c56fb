export { codecString } from './codec-string.ts';
export { opusDurationUs, parseOpusPacket } from './opus-packet.ts';
export { DEFAULT_MAX_PAYLOAD_BYTES } from './payload-size.ts';
export { createDepacketizer, createPacketizer, type PacketizerOptions } from './registry.ts';
export type { DepacketizedFrame, Depacketizer, Packetizer } from './types.ts';

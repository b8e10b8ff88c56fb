/** The payload format of each codec. */
import type { Codec } from '../types.ts';
import { createAv1Depacketizer, createAv1Packetizer } from './av1.ts';
import { createH264Depacketizer, createH264Packetizer } from './h264.ts';
import { createOpusDepacketizer, createOpusPacketizer } from './opus.ts';
import type { Depacketizer, Packetizer } from './types.ts';
import { createVp8Depacketizer, createVp8Packetizer, type Vp8Packetizer } from './vp8.ts';
import { createVp9Depacketizer, createVp9Packetizer } from './vp9.ts';

export interface PacketizerOptions {
  /** Limit of a payload in bytes, 64 to 65 000; default 1150. Opus packets are never cut. */
  readonly maxPayloadBytes?: number;
  /** VP8 and VP9: picture ID of the first picture, 0 to 32767; random by default. */
  readonly pictureId?: number;
}

/** A packetizer for one stream (one SSRC): it counts pictures. Throws a RangeError for an unusable limit. */
export function createPacketizer(codec: 'vp8', options?: PacketizerOptions): Vp8Packetizer;
export function createPacketizer(codec: Codec, options?: PacketizerOptions): Packetizer;
export function createPacketizer(codec: Codec, options: PacketizerOptions = {}): Packetizer {
  switch (codec) {
    case 'opus':
      return createOpusPacketizer();
    case 'vp8':
      return createVp8Packetizer(options);
    case 'vp9':
      return createVp9Packetizer(options);
    case 'h264':
      return createH264Packetizer(options);
    case 'av1':
      return createAv1Packetizer(options);
  }
}

/** A depacketizer for one stream: it may remember parameter sets. */
export function createDepacketizer(codec: Codec): Depacketizer {
  switch (codec) {
    case 'opus':
      return createOpusDepacketizer();
    case 'vp8':
      return createVp8Depacketizer();
    case 'vp9':
      return createVp9Depacketizer();
    case 'h264':
      return createH264Depacketizer();
    case 'av1':
      return createAv1Depacketizer();
  }
}

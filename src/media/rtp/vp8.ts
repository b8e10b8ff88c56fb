/** RTP payload format of VP8, RFC 7741. */
import { randomInt } from 'node:crypto';
import type { TemporalLayer } from '../types.ts';
import { evenPieces, maxPayloadBytes } from './payload-size.ts';
import type { Depacketizer, Packetizer } from './types.ts';
import { parseVp8Descriptor, writeVp8Descriptor } from './vp8-descriptor.ts';
import { parseVp8FrameHeader } from './vp8-frame.ts';

export interface Vp8PacketizerOptions {
  /** Limit of a payload in bytes; default `DEFAULT_MAX_PAYLOAD_BYTES`. */
  readonly maxPayloadBytes?: number;
  /** Picture ID of the first picture, 0 to 32767; random by default, as RFC 7741 section 4.2 advises. */
  readonly pictureId?: number;
}

export interface Vp8Packetizer extends Packetizer {
  /** `temporalLayer` writes TL0PICIDX, TID, Y and KEYIDX; without it only the picture ID is sent. */
  packetize(
    frame: Buffer,
    options: { keyframe: boolean; temporalLayer?: TemporalLayer; nonReference?: boolean },
  ): Buffer[];
}

/** X, extension, picture ID (2), TL0PICIDX, TID/Y/KEYIDX. */
const MAX_DESCRIPTOR_BYTES = 6;

export function createVp8Packetizer(options: Vp8PacketizerOptions = {}): Vp8Packetizer {
  const limit = maxPayloadBytes(options.maxPayloadBytes) - MAX_DESCRIPTOR_BYTES;
  let pictureId = (options.pictureId ?? randomInt(0x8000)) & 0x7fff;
  let tl0PicIdx = randomInt(0x100);
  let keyIdx = randomInt(0x20);
  return {
    codec: 'vp8',
    packetize(frame, { keyframe, temporalLayer, nonReference = false }) {
      if (frame.length === 0) return [];
      if (keyframe) keyIdx = (keyIdx + 1) & 0x1f;
      if (temporalLayer?.id === 0) tl0PicIdx = (tl0PicIdx + 1) & 0xff;
      const descriptor = writeVp8Descriptor({
        nonReference,
        startOfPartition: false,
        partition: 0,
        pictureId,
        ...(temporalLayer && {
          tl0PicIdx,
          temporalId: temporalLayer.id,
          layerSync: temporalLayer.sync,
          keyIdx,
        }),
      });
      pictureId = (pictureId + 1) & 0x7fff;
      let offset = 0;
      return evenPieces(frame.length, limit).map((size) => {
        const payload = Buffer.allocUnsafe(descriptor.length + size);
        descriptor.copy(payload);
        if (offset === 0) payload[0] = payload[0]! | 0x10;
        frame.copy(payload, descriptor.length, offset, offset + size);
        offset += size;
        return payload;
      });
    },
  };
}

export function createVp8Depacketizer(): Depacketizer {
  return {
    codec: 'vp8',
    isFrameStart(payload) {
      const descriptor = parseVp8Descriptor(payload)?.descriptor;
      return descriptor?.startOfPartition === true && descriptor.partition === 0;
    },
    readTemporalPosition(payload) {
      const descriptor = parseVp8Descriptor(payload)?.descriptor;
      if (descriptor?.tl0PicIdx === undefined || descriptor.temporalId === undefined) return undefined;
      const { tl0PicIdx: basePicture, temporalId: id, layerSync: sync = false } = descriptor;
      return { basePicture, id, sync };
    },
    isKeyFrameStart(payload) {
      const parsed = parseVp8Descriptor(payload);
      if (!parsed?.descriptor.startOfPartition || parsed.descriptor.partition !== 0) return false;
      // Inverse key frame flag, RFC 7741 section 4.3.
      return parsed.bytes < payload.length && (payload[parsed.bytes]! & 1) === 0;
    },
    depacketize(payloads) {
      const pieces: Buffer[] = [];
      let pictureId: number | undefined;
      for (const payload of payloads) {
        const parsed = parseVp8Descriptor(payload);
        if (parsed === undefined) return undefined;
        const { descriptor, bytes } = parsed;
        const starts = descriptor.startOfPartition && descriptor.partition === 0;
        if (starts !== (pieces.length === 0)) return undefined;
        if (pieces.length > 0 && descriptor.pictureId !== pictureId) return undefined;
        pictureId = descriptor.pictureId;
        pieces.push(payload.subarray(bytes));
      }
      const data = Buffer.concat(pieces);
      const header = parseVp8FrameHeader(data);
      return header && { data, ...header };
    },
  };
}

/** RTP payload format of VP9, RFC 9628. */
import { randomInt } from 'node:crypto';
import { evenPieces, maxPayloadBytes } from './payload-size.ts';
import type { DepacketizedFrame, Depacketizer, Packetizer } from './types.ts';
import { parseVp9Descriptor, type Vp9Descriptor, type Vp9ScalabilityStructure } from './vp9-descriptor.ts';
import { joinVp9LayerFrames, parseVp9FrameHeader } from './vp9-frame.ts';

export interface Vp9PacketizerOptions {
  /** Limit of a payload in bytes; default `DEFAULT_MAX_PAYLOAD_BYTES`. */
  readonly maxPayloadBytes?: number;
  /** Picture ID of the first picture, 0 to 32767; random by default. */
  readonly pictureId?: number;
}

/** First octet and 15-bit picture ID. */
const DESCRIPTOR_BYTES = 3;
/** One spatial layer with its size and a group of one picture that refers to the one before it. */
const STRUCTURE_BYTES = 8;

/**
 * One spatial and one temporal layer in non-flexible mode. Keyframes carry the scalability structure, from
 * which receivers know the size and that each picture refers to the one before it.
 */
export function createVp9Packetizer(options: Vp9PacketizerOptions = {}): Packetizer {
  const limit = maxPayloadBytes(options.maxPayloadBytes) - DESCRIPTOR_BYTES - STRUCTURE_BYTES;
  let pictureId = (options.pictureId ?? randomInt(0x8000)) & 0x7fff;
  return {
    codec: 'vp9',
    packetize(frame, { keyframe }) {
      if (frame.length === 0) return [];
      const structure = keyframe ? structureOf(frame) : undefined;
      const id = pictureId;
      pictureId = (pictureId + 1) & 0x7fff;
      let offset = 0;
      return evenPieces(frame.length, limit).map((size) => {
        const first = offset === 0;
        const last = offset + size === frame.length;
        const head = first && structure ? structure : undefined;
        const headerBytes = DESCRIPTOR_BYTES + (head?.length ?? 0);
        const payload = Buffer.allocUnsafe(headerBytes + size);
        payload[0] =
          0x80 | (keyframe ? 0 : 0x40) | (first ? 0x08 : 0) | (last ? 0x04 : 0) | (head ? 0x02 : 0);
        payload.writeUInt16BE(0x8000 | id, 1);
        head?.copy(payload, DESCRIPTOR_BYTES);
        frame.copy(payload, headerBytes, offset, offset + size);
        offset += size;
        return payload;
      });
    },
  };
}

function structureOf(frame: Buffer): Buffer | undefined {
  const header = parseVp9FrameHeader(frame);
  if (header?.width === undefined || header.height === undefined) return undefined;
  const structure = Buffer.alloc(STRUCTURE_BYTES);
  // N_S = 0, Y = 1, G = 1.
  structure[0] = 0x18;
  structure.writeUInt16BE(header.width & 0xffff, 1);
  structure.writeUInt16BE(header.height & 0xffff, 3);
  // N_G = 1; TID 0, U 0, R 1; P_DIFF 1.
  structure.set([1, 0x04, 1], 5);
  return structure;
}

/**
 * A layer frame that is not predicted from the spatial layer below may be the first of its picture also
 * when its spatial id is not 0: an SFU forwards only the wanted layer between the keyframes of K-SVC.
 */
function startsPicture(descriptor: Vp9Descriptor): boolean {
  return descriptor.startOfFrame && descriptor.layer?.interLayerPredicted !== true;
}

export function createVp9Depacketizer(): Depacketizer {
  return {
    codec: 'vp9',
    isFrameStart(payload) {
      const descriptor = parseVp9Descriptor(payload)?.descriptor;
      return descriptor !== undefined && startsPicture(descriptor);
    },
    isKeyFrameStart(payload) {
      const parsed = parseVp9Descriptor(payload);
      if (parsed === undefined || !startsPicture(parsed.descriptor)) return false;
      return isKey(parsed.descriptor, payload.subarray(parsed.bytes));
    },
    depacketize,
  };
}

/** A picture of the base layer that uses no other, unless its header says that it is intra-only. */
function isKey(descriptor: Vp9Descriptor, data: Uint8Array): boolean {
  if (descriptor.interPicturePredicted || (descriptor.layer?.spatialId ?? 0) !== 0) return false;
  return parseVp9FrameHeader(data)?.intraOnly !== true;
}

function depacketize(payloads: readonly Buffer[]): DepacketizedFrame | undefined {
  const layerFrames: Buffer[] = [];
  let pieces: Buffer[] = [];
  let first: Vp9Descriptor | undefined;
  let last: Vp9Descriptor | undefined;
  let structure: Vp9ScalabilityStructure | undefined;
  for (const payload of payloads) {
    const parsed = parseVp9Descriptor(payload);
    if (parsed === undefined || parsed.bytes >= payload.length) return undefined;
    const { descriptor } = parsed;
    first ??= descriptor;
    if (descriptor.startOfFrame !== (pieces.length === 0)) return undefined;
    if (descriptor.pictureId !== first.pictureId) return undefined;
    if (!follows(last, descriptor)) return undefined;
    last = descriptor;
    structure ??= descriptor.structure;
    pieces.push(payload.subarray(parsed.bytes));
    if (descriptor.endOfFrame) {
      layerFrames.push(Buffer.concat(pieces));
      pieces = [];
    }
  }
  if (first === undefined || last === undefined || pieces.length > 0) return undefined;
  const data = joinVp9LayerFrames(layerFrames);
  if (data === undefined) return undefined;
  const keyframe = isKey(first, data);
  return { data, keyframe, ...(keyframe && sizeOf(last, structure, data)) };
}

/** Payloads of a layer frame share its spatial id, and layer frames come in rising order. */
function follows(last: Vp9Descriptor | undefined, descriptor: Vp9Descriptor): boolean {
  if (last === undefined) return true;
  const before = last.layer?.spatialId ?? 0;
  const now = descriptor.layer?.spatialId ?? 0;
  return last.endOfFrame ? now > before : now === before;
}

/** Size of the topmost layer received: only the scalability structure knows it where there are several. */
function sizeOf(
  top: Vp9Descriptor,
  structure: Vp9ScalabilityStructure | undefined,
  data: Buffer,
): { width: number; height: number } | undefined {
  const spatialId = top.layer?.spatialId ?? 0;
  const size = spatialId > 0 ? structure?.sizes?.[spatialId] : parseVp9FrameHeader(data);
  if (!size?.width || !size.height) return undefined;
  return { width: size.width, height: size.height };
}

/** RTP payload format of H.264 with packetization-mode 1, RFC 6184: single NAL units, STAP-A and FU-A. */
import { isFirstSlice, isNalUnitType, joinAnnexB, NAL, nalType, splitAnnexB } from './h264-nal.ts';
import { parameterSets } from './h264-parameter-sets.ts';
import { parseH264Sps } from './h264-sps.ts';
import { evenPieces, maxPayloadBytes } from './payload-size.ts';
import type { DepacketizedFrame, Depacketizer, Packetizer } from './types.ts';

export interface H264PacketizerOptions {
  /** Limit of a payload in bytes; default `DEFAULT_MAX_PAYLOAD_BYTES`. */
  readonly maxPayloadBytes?: number;
}

const STAP_HEADER_BYTES = 1;
const STAP_LENGTH_BYTES = 2;
const FU_HEADER_BYTES = 2;
const NRI = 0x60;

/**
 * Takes access units as Annex B streams. Parameter sets seen before are put in front of an IDR picture
 * that has none.
 */
export function createH264Packetizer(options: H264PacketizerOptions = {}): Packetizer {
  const limit = maxPayloadBytes(options.maxPayloadBytes);
  const sets = parameterSets();
  return {
    codec: 'h264',
    packetize(frame) {
      const payloads: Buffer[] = [];
      let together: Buffer[] = [];
      let togetherBytes = STAP_HEADER_BYTES;
      const flush = () => {
        if (together.length > 0) payloads.push(aggregate(together));
        together = [];
        togetherBytes = STAP_HEADER_BYTES;
      };
      for (const nal of sets.complete(splitAnnexB(frame))) {
        if (!isNalUnitType(nalType(nal))) continue;
        const bytes = STAP_LENGTH_BYTES + nal.length;
        if (togetherBytes + bytes > limit) flush();
        if (nal.length > limit) {
          payloads.push(...fragment(nal, limit));
        } else {
          together.push(nal);
          togetherBytes += bytes;
        }
      }
      flush();
      return payloads;
    },
  };
}

/** One NAL unit as it is, several as a STAP-A (RFC 6184 section 5.7.1). */
function aggregate(nals: readonly Buffer[]): Buffer {
  if (nals.length === 1) return Buffer.from(nals[0]!);
  const parts: Buffer[] = [];
  let importance = 0;
  for (const nal of nals) {
    importance = Math.max(importance, nal[0]! & NRI);
    const length = Buffer.allocUnsafe(STAP_LENGTH_BYTES);
    length.writeUInt16BE(nal.length);
    parts.push(length, nal);
  }
  return Buffer.concat([Buffer.from([importance | NAL.stapA]), ...parts]);
}

/** FU-A, RFC 6184 section 5.8. */
function fragment(nal: Buffer, limit: number): Buffer[] {
  const indicator = (nal[0]! & NRI) | NAL.fuA;
  const type = nalType(nal);
  let offset = 1;
  return evenPieces(nal.length - 1, limit - FU_HEADER_BYTES).map((size) => {
    const payload = Buffer.allocUnsafe(FU_HEADER_BYTES + size);
    payload[0] = indicator;
    payload[1] = type | (offset === 1 ? 0x80 : 0) | (offset + size === nal.length ? 0x40 : 0);
    nal.copy(payload, FU_HEADER_BYTES, offset, offset + size);
    offset += size;
    return payload;
  });
}

/** Gives Annex B streams; an IDR picture that came without parameter sets gets those seen before. */
export function createH264Depacketizer(): Depacketizer {
  const sets = parameterSets();
  return {
    codec: 'h264',
    isFrameStart,
    isKeyFrameStart,
    depacketize(payloads): DepacketizedFrame | undefined {
      const nals = collectNals(payloads);
      if (nals === undefined || nals.length === 0) return undefined;
      const complete = sets.complete(nals);
      const keyframe = complete.some((nal) => nalType(nal) === NAL.idr);
      const data = joinAnnexB(complete);
      if (!keyframe) return { data, keyframe };
      const sps = complete.find((nal) => nalType(nal) === NAL.sps);
      const size = sps && parseH264Sps(sps);
      return { data, keyframe, ...(size && { width: size.width, height: size.height }) };
    },
  };
}

function isFrameStart(payload: Buffer): boolean {
  const type = nalType(payload);
  if (type === NAL.fuA) {
    const header = payload[1] ?? 0;
    if ((header & 0x80) === 0) return false;
    const inner = header & 0x1f;
    return inner === NAL.slice || inner === NAL.idr ? isFirstSlice(payload[2]) : isNalUnitType(inner);
  }
  if (type === NAL.stapA) {
    const first = stapNals(payload)?.[0];
    return first !== undefined && isFrameStart(first);
  }
  if (type === NAL.slice || type === NAL.idr) return isFirstSlice(payload[1]);
  return isNalUnitType(type);
}

/** Parameter sets come only in front of keyframes here and in WebRTC's senders. */
function isKeyFrameStart(payload: Buffer): boolean {
  if (!isFrameStart(payload)) return false;
  const type = nalType(payload);
  if (type === NAL.fuA) return (payload[1]! & 0x1f) === NAL.idr;
  const nals = type === NAL.stapA ? (stapNals(payload) ?? []) : [payload];
  return nals.some((nal) => nalType(nal) === NAL.sps || nalType(nal) === NAL.idr);
}

/** NAL units of a STAP-A; `undefined` when its lengths do not fit it. */
function stapNals(payload: Buffer): Buffer[] | undefined {
  const nals: Buffer[] = [];
  let offset = STAP_HEADER_BYTES;
  while (offset < payload.length) {
    if (offset + STAP_LENGTH_BYTES > payload.length) return undefined;
    const length = payload.readUInt16BE(offset);
    offset += STAP_LENGTH_BYTES;
    const nal = payload.subarray(offset, offset + length);
    if (length === 0 || nal.length < length || !isNalUnitType(nalType(nal))) return undefined;
    nals.push(nal);
    offset += length;
  }
  return nals.length > 0 ? nals : undefined;
}

function collectNals(payloads: readonly Buffer[]): Buffer[] | undefined {
  const nals: Buffer[] = [];
  /** Fragments of the NAL unit that is open, its header first. */
  let open: Buffer[] | undefined;
  for (const payload of payloads) {
    const type = nalType(payload);
    if (type === NAL.fuA) {
      open = addFragment(open, payload);
      if (open === undefined) return undefined;
      if ((payload[1]! & 0x40) !== 0) {
        nals.push(Buffer.concat(open));
        open = undefined;
      }
      continue;
    }
    if (open !== undefined) return undefined;
    if (type === NAL.stapA) {
      const inner = stapNals(payload);
      if (inner === undefined) return undefined;
      for (const nal of inner) nals.push(nal);
    } else if (isNalUnitType(type)) {
      nals.push(payload);
    } else {
      return undefined;
    }
  }
  return open === undefined ? nals : undefined;
}

/** The open NAL unit with the fragment added; `undefined` for one that does not continue or begin it. */
function addFragment(open: Buffer[] | undefined, payload: Buffer): Buffer[] | undefined {
  if (payload.length <= FU_HEADER_BYTES) return undefined;
  const header = payload[1]!;
  const type = header & 0x1f;
  const starts = (header & 0x80) !== 0;
  // S and E together are forbidden: a NAL unit in one fragment is sent as it is.
  if (!isNalUnitType(type) || starts !== (open === undefined) || (header & 0xc0) === 0xc0) return undefined;
  const data = payload.subarray(FU_HEADER_BYTES);
  if (open === undefined) return [Buffer.from([(payload[0]! & 0xe0) | type]), data];
  if (nalType(open[0]!) !== type) return undefined;
  open.push(data);
  return open;
}

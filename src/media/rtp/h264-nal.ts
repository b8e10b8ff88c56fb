/** H.264 NAL units and the Annex B byte stream, ITU-T H.264 section 7.3.1 and annex B. */

export const NAL = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, aud: 9, stapA: 24, fuA: 28 } as const;

const START_CODE = Buffer.from([0, 0, 0, 1]);

export function nalType(nal: Uint8Array): number {
  return (nal[0] ?? 0) & 0x1f;
}

/** Whether the type is one that H.264 defines for a NAL unit, not one of RFC 6184's own (24 to 31). */
export function isNalUnitType(type: number): boolean {
  return type >= 1 && type <= 23;
}

/**
 * NAL units of an Annex B stream, as views of it, without start codes and trailing zeros. Bytes before the
 * first start code are not part of any.
 */
export function splitAnnexB(stream: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let start = -1;
  let at = stream.indexOf(1, 2);
  while (at !== -1) {
    if (stream[at - 1] === 0 && stream[at - 2] === 0) {
      if (start !== -1) pushNal(nals, stream, start, at - 2);
      start = at + 1;
    }
    at = stream.indexOf(1, at + 1);
  }
  if (start !== -1) pushNal(nals, stream, start, stream.length);
  return nals;
}

function pushNal(nals: Buffer[], stream: Buffer, start: number, end: number): void {
  let last = end;
  while (last > start && stream[last - 1] === 0) last--;
  if (last > start) nals.push(stream.subarray(start, last));
}

/** Annex B stream of the NAL units, each after a four-byte start code. */
export function joinAnnexB(nals: readonly Buffer[]): Buffer {
  return Buffer.concat(nals.flatMap((nal) => [START_CODE, nal]));
}

/** NAL units each after its length in four bytes, as in MP4 and Matroska (ISO/IEC 14496-15). */
export function joinLengthPrefixed(nals: readonly Buffer[]): Buffer {
  const out = Buffer.allocUnsafe(nals.reduce((bytes, nal) => bytes + 4 + nal.length, 0));
  let offset = 0;
  for (const nal of nals) {
    offset = out.writeUInt32BE(nal.length, offset);
    offset += nal.copy(out, offset);
  }
  return out;
}

/** The payload of a NAL unit (RBSP) without emulation prevention bytes; at most `limit` bytes are read. */
export function rawPayload(nal: Uint8Array, limit: number): Uint8Array {
  const end = Math.min(nal.length, limit);
  const out = new Uint8Array(end);
  let length = 0;
  let zeros = 0;
  for (let i = 1; i < end; i++) {
    const byte = nal[i]!;
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out[length++] = byte;
  }
  return out.subarray(0, length);
}

/** Whether a coded slice is the first of its picture: `first_mb_in_slice`, ue(v), is 0. */
export function isFirstSlice(sliceHeaderByte: number | undefined): boolean {
  return sliceHeaderByte !== undefined && (sliceHeaderByte & 0x80) !== 0;
}

/** AV1 open bitstream units, AV1 specification sections 4.10.5 and 5.3. */

export const OBU = {
  sequenceHeader: 1,
  temporalDelimiter: 2,
  frameHeader: 3,
  frame: 6,
  tileList: 8,
  padding: 15,
} as const;

/** Extension and size flags of the OBU header. */
const EXTENSION = 0x04;
const HAS_SIZE = 0x02;

export interface Obu {
  readonly type: number;
  /** Header of one or two bytes with the size flag off. */
  readonly header: Buffer;
  readonly payload: Buffer;
}

/** Reads a leb128 number of at most eight bytes and 32 bits; `undefined` for another. */
export function readLeb128(
  data: Uint8Array,
  offset: number,
): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = data[offset + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if ((byte & 0x80) === 0) return value < 2 ** 32 ? { value, next: offset + i + 1 } : undefined;
  }
  return undefined;
}

/** The shortest leb128 form of a number below 2^32. */
export function leb128(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    const more = rest >= 0x80;
    bytes.push((rest % 0x80) | (more ? 0x80 : 0));
    rest = Math.floor(rest / 0x80);
  } while (rest > 0);
  return Buffer.from(bytes);
}

/** Number of bytes that `leb128` gives. */
export function leb128Bytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes++;
  return bytes;
}

/** The OBU at the offset, up to the end of the data where it has no size; `undefined` when malformed. */
export function readObu(
  data: Buffer,
  offset: number,
): { readonly obu: Obu; readonly next: number } | undefined {
  const first = data[offset];
  if (first === undefined || (first & 0x80) !== 0) return undefined;
  const headerBytes = (first & EXTENSION) === 0 ? 1 : 2;
  let start = offset + headerBytes;
  if (start > data.length) return undefined;
  let end = data.length;
  if ((first & HAS_SIZE) !== 0) {
    const size = readLeb128(data, start);
    if (size === undefined || size.next + size.value > data.length) return undefined;
    start = size.next;
    end = start + size.value;
  }
  const header = Buffer.from(data.subarray(offset, offset + headerBytes));
  header[0] = first & ~HAS_SIZE;
  return { obu: { type: (first >> 3) & 15, header, payload: data.subarray(start, end) }, next: end };
}

/** OBUs of a temporal unit in the low-overhead format; `undefined` when malformed. */
export function splitObus(data: Buffer): Obu[] | undefined {
  const obus: Obu[] = [];
  let offset = 0;
  while (offset < data.length) {
    const read = readObu(data, offset);
    if (read === undefined) return undefined;
    obus.push(read.obu);
    offset = read.next;
  }
  return obus;
}

/** The OBUs in the low-overhead format, each with its size. */
export function joinObus(obus: readonly Obu[]): Buffer {
  return Buffer.concat(
    obus.flatMap(({ header, payload }) => {
      const sized = Buffer.from(header);
      sized[0] = sized[0]! | HAS_SIZE;
      return [sized, leb128(payload.length), payload];
    }),
  );
}

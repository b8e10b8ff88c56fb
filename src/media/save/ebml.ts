/** EBML elements, RFC 8794. */

const SIZE_BYTES = 8;

/** Size of an element whose end is not known yet (RFC 8794 section 6.2), in eight bytes. */
export const UNKNOWN_SIZE = Buffer.from([0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);

/** The ID as it stands in the file: its length marker is part of the number. */
export function elementId(id: number): Buffer {
  const bytes = id > 0xffffff ? 4 : id > 0xffff ? 3 : id > 0xff ? 2 : 1;
  const out = Buffer.allocUnsafe(bytes);
  out.writeUIntBE(id, 0, bytes);
  return out;
}

/** Element size in as few bytes as it takes, below 2^49. */
export function dataSize(size: number): Buffer {
  let bytes = 1;
  // All ones is reserved for "unknown".
  while (size >= 2 ** (7 * bytes) - 1) bytes++;
  return sizeIn(size, bytes);
}

/** Element size in eight bytes, for a place that is written twice. */
export function fixedDataSize(size: number): Buffer {
  return sizeIn(size, SIZE_BYTES);
}

function sizeIn(size: number, bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  let rest = size;
  for (let i = bytes - 1; i >= 0; i--) {
    out[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  out[0] = out[0]! | (0x100 >> bytes);
  return out;
}

export function element(id: number, ...content: readonly Buffer[]): Buffer {
  const size = content.reduce((bytes, part) => bytes + part.length, 0);
  return Buffer.concat([elementId(id), dataSize(size), ...content]);
}

/** An unsigned integer below 2^48 in as few bytes as it takes. */
export function uintElement(id: number, value: number): Buffer {
  let bytes = 1;
  while (bytes < 6 && value >= 256 ** bytes) bytes++;
  const data = Buffer.allocUnsafe(bytes);
  data.writeUIntBE(value, 0, bytes);
  return element(id, data);
}

export function floatElement(id: number, value: number): Buffer {
  const data = Buffer.allocUnsafe(8);
  data.writeDoubleBE(value);
  return element(id, data);
}

/** A date: nanoseconds since 2001-01-01T00:00:00Z (RFC 8794 section 7.6). */
export function dateElement(id: number, epochMs: number): Buffer {
  const data = Buffer.allocUnsafe(8);
  data.writeBigInt64BE(BigInt(Math.round((epochMs - Date.UTC(2001, 0, 1)) * 1000)) * 1000n);
  return element(id, data);
}

export function stringElement(id: number, value: string): Buffer {
  return element(id, Buffer.from(value, 'utf8'));
}

const VOID = 0xec;

/** An element of exactly `bytes` bytes (2 to 128) to be written over later. */
export function voidElement(bytes: number): Buffer {
  const out = Buffer.alloc(bytes);
  out[0] = VOID;
  out[1] = 0x80 | (bytes - 2);
  return out;
}

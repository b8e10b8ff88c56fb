/** Boxes of the ISO base media file format, ISO/IEC 14496-12 section 4.2. */

export interface Box {
  readonly type: string;
  /** Without the header. */
  readonly content: Buffer;
  /** With the header. */
  readonly bytes: Buffer;
}

const HEADER = 8;
const LARGE_HEADER = 16;
/** No box of a live encoder is larger; what claims to be is no box. */
const MAX_BOX_BYTES = 256 * 1024 * 1024;

/** Length of the box that begins there, with its header; `undefined` until its header is whole. */
export function boxLength(bytes: Buffer, at = 0): number | undefined {
  if (bytes.length - at < HEADER) return undefined;
  const size = bytes.readUInt32BE(at);
  if (size !== 1) return checked(size, HEADER);
  return bytes.length - at < LARGE_HEADER
    ? undefined
    : checked(Number(bytes.readBigUInt64BE(at + HEADER)), LARGE_HEADER);
}

function checked(size: number, least: number): number {
  if (size < least || size > MAX_BOX_BYTES) throw new Error(`A box cannot have ${size} bytes`);
  return size;
}

/** The whole boxes that lie end to end; what is cut off at the end is left out. */
export function boxes(bytes: Buffer): Box[] {
  const found: Box[] = [];
  for (let at = 0; ; ) {
    const length = boxLength(bytes, at);
    if (length === undefined || at + length > bytes.length) return found;
    const header = bytes.readUInt32BE(at) === 1 ? LARGE_HEADER : HEADER;
    found.push({
      type: bytes.toString('latin1', at + 4, at + 8),
      content: bytes.subarray(at + header, at + length),
      bytes: bytes.subarray(at, at + length),
    });
    at += length;
  }
}

/** Boxes by the path to them, such as `['trak', 'mdia']`. */
export function boxesAt(bytes: Buffer, path: readonly string[]): Box[] {
  const [type, ...rest] = path;
  const here = boxes(bytes).filter((box) => box.type === type);
  return rest.length === 0 ? here : here.flatMap((box) => boxesAt(box.content, rest));
}

/** The one box there. */
export function boxAt(bytes: Buffer, path: readonly string[]): Box {
  const [box] = boxesAt(bytes, path);
  if (box === undefined) throw new Error(`There is no ${path.join('/')}`);
  return box;
}

export function box(type: string, ...content: readonly Buffer[]): Buffer {
  const size = content.reduce((sum, part) => sum + part.length, HEADER);
  const header = Buffer.allocUnsafe(HEADER);
  header.writeUInt32BE(size, 0);
  header.write(type, 4, 'latin1');
  return Buffer.concat([header, ...content], size);
}

/** Version and flags in front of a full box's fields. */
export function fullBox(type: string, version: number, flags: number, ...content: readonly Buffer[]): Buffer {
  return box(type, uint32((version << 24) | flags), ...content);
}

export function uint32(...values: readonly number[]): Buffer {
  const out = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, i) => {
    out.writeUInt32BE(value >>> 0, i * 4);
  });
  return out;
}

export function uint64(value: number): Buffer {
  const out = Buffer.allocUnsafe(8);
  out.writeBigUInt64BE(BigInt(value));
  return out;
}

import { open } from 'node:fs/promises';

/** Sizes that writers of a stream put where they do not know the size. */
const UNKNOWN_RIFF_SIZES = new Set([0, 0x7fffffff, 0xfffffffe, 0xffffffff]);

/**
 * Whether a file is shorter than its own structure says: MP4 and MOV boxes (ISO/IEC 14496-12 section 4.2), the
 * Matroska segment (RFC 9559), a RIFF chunk. `false` for containers that do not say how long they are.
 */
export async function isTruncated(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const read = async (at: number, length: number): Promise<Buffer> => {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
      return buffer.subarray(0, bytesRead);
    };
    const head = await read(0, 64);
    if (head.length < 12) return false;
    const tag = head.toString('latin1', 0, 4);
    if (head.readUInt32BE(0) === 0x1a45dfa3) return segmentEnd(head, size) > size;
    if (tag === 'RIFF') {
      const declared = head.readUInt32LE(4);
      return !UNKNOWN_RIFF_SIZES.has(declared) && declared + 8 > size + 1;
    }
    if (/^(ftyp|moov|mdat|wide|free|skip)$/.test(head.toString('latin1', 4, 8)))
      return await boxesEnd(read, size);
    return false;
  } finally {
    await file.close();
  }
}

async function boxesEnd(
  read: (at: number, length: number) => Promise<Buffer>,
  size: number,
): Promise<boolean> {
  for (let at = 0; at < size; ) {
    const header = await read(at, 16);
    if (header.length < 8) return true;
    let length = header.readUInt32BE(0);
    if (length === 0) return false;
    if (length === 1) {
      if (header.length < 16) return true;
      length = Number(header.readBigUInt64BE(8));
    }
    if (length < 8) return false;
    at += length;
    if (at > size) return true;
  }
  return false;
}

/** Where the segment after the EBML header ends; 0 when it does not say. */
function segmentEnd(head: Buffer, size: number): number {
  const header = vint(head, 4);
  if (!header || header.value === undefined) return 0;
  const at = header.end + header.value;
  if (at + 12 > head.length) return at > size ? at : 0;
  if (head.readUInt32BE(at) !== 0x18538067) return 0;
  const segment = vint(head, at + 4);
  return segment?.value === undefined ? 0 : segment.end + segment.value;
}

/** An EBML size, RFC 8794 section 6; no value when all its bits are one: unknown. */
function vint(data: Buffer, at: number): { value: number | undefined; end: number } | undefined {
  const length = Math.clz32(data[at] ?? 0) - 23;
  if (length > 8 || at + length > data.length) return undefined;
  let value = data[at]! & (0xff >> length);
  let ones = value === 0xff >> length;
  for (let i = 1; i < length; i += 1) {
    value = value * 256 + data[at + i]!;
    ones &&= data[at + i] === 0xff;
  }
  return { value: ones ? undefined : value, end: at + length };
}

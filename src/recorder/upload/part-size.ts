import type { PartRange } from './types.ts';

/** S3's limit. */
export const MAX_PARTS = 10_000;
/** S3's least is 5 MiB. */
export const PART_BYTES = 8 * 1024 * 1024;
/** S3's largest part. */
const MAX_PART_BYTES = 5 * 1024 ** 3;
/**
 * Parts of one size for as long as can be, since Cloudflare's R2 takes no others: 40 GiB, a day at 4 Mbit/s. Then
 * the size doubles every 500 parts, so that the last one ends beyond S3's largest object (5 TiB).
 */
const EQUAL_PARTS = 5_000;
const DOUBLED_EVERY = 500;

/** Which bytes of an object the part has, where the object is long enough. `partBytes` is the size of the first. */
export function partRange(number: number, partBytes: number = PART_BYTES): PartRange {
  if (number <= EQUAL_PARTS) return { number, offset: (number - 1) * partBytes, size: partBytes };
  let offset = EQUAL_PARTS * partBytes;
  let size = partBytes;
  for (let first = EQUAL_PARTS + 1; ; first += DOUBLED_EVERY) {
    size = Math.min(size * 2, MAX_PART_BYTES);
    if (number < first + DOUBLED_EVERY) return { number, offset: offset + (number - first) * size, size };
    offset += DOUBLED_EVERY * size;
  }
}

/** The parts of an object of this many bytes; the last one has what remains. */
export function partsOf(size: number, partBytes: number = PART_BYTES): PartRange[] {
  const parts: PartRange[] = [];
  for (let number = 1; ; number++) {
    const range = partRange(number, partBytes);
    if (range.offset >= size) return parts;
    parts.push({ ...range, size: Math.min(range.size, size - range.offset) });
  }
}

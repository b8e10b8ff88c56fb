/** H.264 parameter sets, ISO/IEC 14496-15 section 5.3.3. */
import { uint32 } from './mp4/boxes.ts';

/**
 * The parameter sets of an avcC as they stand before a picture. An encoder of another make that takes over in the
 * middle of a file has others than those in the file's header, and decoders take the ones that they meet.
 */
export function inBandParameterSets(avcC: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = avcC[at]! & mask;
    at += 1;
    for (let i = 0; i < count; i += 1) {
      const length = avcC.readUInt16BE(at);
      parts.push(uint32(length), avcC.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
  }
  return Buffer.concat(parts);
}

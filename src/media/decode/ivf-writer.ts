/** IVF, the plainest container of pictures that ffmpeg reads from a pipe. */
import type { VideoCodec } from '../types.ts';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;
const FOURCC: Readonly<Record<VideoCodec, string>> = { vp8: 'VP80', vp9: 'VP90', h264: 'H264', av1: 'AV01' };
/** Times are in milliseconds. */
const UNITS_PER_SECOND = 1_000;

/** What stands before the first picture. The size is a hint: decoders take the one in the pictures. */
export function ivfHeader(
  codec: VideoCodec,
  size: { readonly width: number; readonly height: number },
): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(HEADER_BYTES, 6);
  header.write(FOURCC[codec], 8, 'latin1');
  header.writeUInt16LE(size.width, 12);
  header.writeUInt16LE(size.height, 14);
  header.writeUInt32LE(UNITS_PER_SECOND, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

/** One picture, shown at so many milliseconds. */
export function ivfFrame(data: Buffer, timeMs: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(data.length, 0);
  header.writeBigUInt64LE(BigInt(Math.max(0, Math.round(timeMs))), 4);
  return Buffer.concat([header, data]);
}

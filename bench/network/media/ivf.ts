/** Writes IVF: the container in which ffmpeg takes VP8 pictures from a pipe one by one. */

export const IVF_FILE_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 12;

/** The file header; its time base is 1/30 s. */
export function ivfHeader(width: number, height: number): Buffer {
  const header = Buffer.alloc(IVF_FILE_HEADER_BYTES);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(IVF_FILE_HEADER_BYTES, 6);
  header.write('VP80', 8, 'latin1');
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  header.writeUInt32LE(30, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

export function ivfFrame(data: Buffer, time: number): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32LE(data.length, 0);
  header.writeBigUInt64LE(BigInt(time), 4);
  return Buffer.concat([header, data]);
}

/** The VP8 payload descriptor, RFC 7741 section 4.2. */

export interface Vp8Descriptor {
  /** N: no other picture depends on this one. */
  readonly nonReference: boolean;
  /** S: the payload begins a partition. */
  readonly startOfPartition: boolean;
  /** PID: 0 is the first partition. */
  readonly partition: number;
  /** 7 or 15 bits. */
  readonly pictureId?: number;
  /** Running index of pictures of temporal layer 0, 8 bits. */
  readonly tl0PicIdx?: number;
  /** TID, 0 to 3. */
  readonly temporalId?: number;
  /** Y: depends on temporal layer 0 only, so a receiver may go up to this layer here. */
  readonly layerSync?: boolean;
  /** Running index of keyframes, 5 bits. */
  readonly keyIdx?: number;
}

/** Reads the descriptor; `undefined` when the payload ends inside it. */
export function parseVp8Descriptor(
  payload: Uint8Array,
): { readonly descriptor: Vp8Descriptor; readonly bytes: number } | undefined {
  const first = payload[0];
  if (first === undefined) return undefined;
  let offset = 1;
  let pictureId: number | undefined;
  let tl0PicIdx: number | undefined;
  let temporalId: number | undefined;
  let layerSync: boolean | undefined;
  let keyIdx: number | undefined;
  if ((first & 0x80) !== 0) {
    const extension = payload[offset++] ?? 0;
    if ((extension & 0x80) !== 0) {
      pictureId = payload[offset++] ?? 0;
      if ((pictureId & 0x80) !== 0) pictureId = ((pictureId & 0x7f) << 8) | (payload[offset++] ?? 0);
    }
    if ((extension & 0x40) !== 0) tl0PicIdx = payload[offset++] ?? 0;
    if ((extension & 0x30) !== 0) {
      const layers = payload[offset++] ?? 0;
      if ((extension & 0x20) !== 0) {
        temporalId = layers >> 6;
        layerSync = (layers & 0x20) !== 0;
      }
      if ((extension & 0x10) !== 0) keyIdx = layers & 0x1f;
    }
  }
  if (offset > payload.length) return undefined;
  return {
    descriptor: {
      nonReference: (first & 0x20) !== 0,
      startOfPartition: (first & 0x10) !== 0,
      partition: first & 0x07,
      ...(pictureId !== undefined && { pictureId }),
      ...(tl0PicIdx !== undefined && { tl0PicIdx }),
      ...(temporalId !== undefined && { temporalId }),
      ...(layerSync !== undefined && { layerSync }),
      ...(keyIdx !== undefined && { keyIdx }),
    },
    bytes: offset,
  };
}

/** Writes the descriptor; the picture ID always in its 15-bit form. */
export function writeVp8Descriptor(descriptor: Vp8Descriptor): Buffer {
  const { pictureId, tl0PicIdx, temporalId, layerSync, keyIdx } = descriptor;
  const bytes: number[] = [
    (descriptor.nonReference ? 0x20 : 0) |
      (descriptor.startOfPartition ? 0x10 : 0) |
      (descriptor.partition & 0x07),
  ];
  const extension =
    (pictureId === undefined ? 0 : 0x80) |
    (tl0PicIdx === undefined ? 0 : 0x40) |
    (temporalId === undefined ? 0 : 0x20) |
    (keyIdx === undefined ? 0 : 0x10);
  if (extension !== 0) {
    bytes[0] = bytes[0]! | 0x80;
    bytes.push(extension);
    if (pictureId !== undefined) bytes.push(0x80 | ((pictureId >> 8) & 0x7f), pictureId & 0xff);
    if (tl0PicIdx !== undefined) bytes.push(tl0PicIdx & 0xff);
    if (temporalId !== undefined || keyIdx !== undefined) {
      bytes.push((((temporalId ?? 0) & 3) << 6) | (layerSync ? 0x20 : 0) | ((keyIdx ?? 0) & 0x1f));
    }
  }
  return Buffer.from(bytes);
}

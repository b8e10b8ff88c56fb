/** What a VP8 frame's own header says, RFC 6386 section 9.1. */

export interface Vp8FrameHeader {
  readonly keyframe: boolean;
  readonly width?: number;
  readonly height?: number;
}

/** Reads the frame tag; `undefined` for what is too short, or a keyframe without the start code. */
export function parseVp8FrameHeader(frame: Uint8Array): Vp8FrameHeader | undefined {
  if (frame.length < 3) return undefined;
  if ((frame[0]! & 1) !== 0) return { keyframe: false };
  if (frame.length < 10 || frame[3] !== 0x9d || frame[4] !== 0x01 || frame[5] !== 0x2a) return undefined;
  const width = (frame[6]! | (frame[7]! << 8)) & 0x3fff;
  const height = (frame[8]! | (frame[9]! << 8)) & 0x3fff;
  return width === 0 || height === 0 ? undefined : { keyframe: true, width, height };
}

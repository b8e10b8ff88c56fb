/** What a VP9 frame's uncompressed header says (VP9 bitstream specification 0.6, section 6.2), and superframes. */
import { bitReader } from './bit-reader.ts';

export interface Vp9FrameHeader {
  readonly keyframe: boolean;
  /** Decodes without other pictures but leaves the reference buffers that it does not refresh. */
  readonly intraOnly: boolean;
  readonly profile: number;
  readonly bitDepth?: number;
  readonly width?: number;
  readonly height?: number;
}

const FRAME_MARKER = 2;
const SYNC_CODE = 0x498342;
const COLOR_SPACE_RGB = 7;

/** Reads the header of the (first) frame; `undefined` for what is no VP9 frame. */
export function parseVp9FrameHeader(frame: Uint8Array): Vp9FrameHeader | undefined {
  // 32 bytes hold every field up to the size.
  const reader = bitReader(frame.subarray(0, 32));
  if (reader.bits(2) !== FRAME_MARKER) return undefined;
  const profile = reader.bits(1) | (reader.bits(1) << 1);
  if (profile === 3) reader.skip(1);
  const inter: Vp9FrameHeader = { keyframe: false, intraOnly: false, profile };
  const showExistingFrame = reader.flag();
  if (showExistingFrame) return reader.overrun ? undefined : inter;
  const keyframe = !reader.flag();
  const showFrame = reader.flag();
  const errorResilient = reader.flag();
  if (!keyframe) {
    const intraOnly = !showFrame && reader.flag();
    if (!intraOnly) return reader.overrun ? undefined : inter;
    if (!errorResilient) reader.skip(2);
    return reader.bits(24) === SYNC_CODE && !reader.overrun ? { ...inter, intraOnly } : undefined;
  }
  if (reader.bits(24) !== SYNC_CODE) return undefined;
  const bitDepth = profile >= 2 ? (reader.flag() ? 12 : 10) : 8;
  if (reader.bits(3) === COLOR_SPACE_RGB) {
    if (profile === 1 || profile === 3) reader.skip(1);
  } else {
    reader.skip(profile === 1 || profile === 3 ? 4 : 1);
  }
  const width = reader.bits(16) + 1;
  const height = reader.bits(16) + 1;
  return reader.overrun ? undefined : { keyframe, intraOnly: false, profile, bitDepth, width, height };
}

/** A superframe holds at most this many frames. */
const MAX_SUPERFRAME_FRAMES = 8;

/**
 * Joins the layer frames of one picture. More than one get a superframe index (specification annex B),
 * without which decoders other than libvpx see the first frame only. `undefined` for more than eight.
 */
export function joinVp9LayerFrames(frames: readonly Buffer[]): Buffer | undefined {
  if (frames.length === 1) return Buffer.concat(frames);
  if (frames.length === 0 || frames.length > MAX_SUPERFRAME_FRAMES) return undefined;
  const largest = Math.max(...frames.map((frame) => frame.length));
  const sizeBytes = largest < 0x100 ? 1 : largest < 0x10000 ? 2 : largest < 0x1000000 ? 3 : 4;
  const marker = 0xc0 | ((sizeBytes - 1) << 3) | (frames.length - 1);
  const index = Buffer.alloc(2 + sizeBytes * frames.length, marker);
  frames.forEach((frame, i) => {
    index.writeUIntLE(frame.length, 1 + i * sizeBytes, sizeBytes);
  });
  return Buffer.concat([...frames, index]);
}

/** RTP payload formats: how encoded frames are cut into payloads and put together again. */
import type { Codec } from '../types.ts';

export interface Packetizer {
  readonly codec: Codec;
  /**
   * Cuts one encoded frame into RTP payloads of at most `maxPayloadBytes`; the caller sets the marker on the
   * last one of a picture.
   */
  packetize(frame: Buffer, options: { keyframe: boolean }): Buffer[];
}

export interface DepacketizedFrame {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** Size of the picture where the payload says it (VP8 and H.264 keyframes, VP9, AV1 sequence headers). */
  readonly width?: number;
  readonly height?: number;
}

export interface Depacketizer {
  readonly codec: Codec;
  /** Whether the payload is the first of a frame. */
  isFrameStart(payload: Buffer): boolean;
  /** Whether a payload that starts a frame starts a keyframe. */
  isKeyFrameStart(payload: Buffer): boolean;
  /**
   * Puts the payloads of one picture, complete and in order, together. `undefined` for payloads that are
   * malformed. The result shares no memory with the payloads.
   */
  depacketize(payloads: readonly Buffer[]): DepacketizedFrame | undefined;
}

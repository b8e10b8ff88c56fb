/** RTP payload formats: how encoded frames are cut into payloads and put together again. */
import type { Codec, TemporalLayer } from '../types.ts';

export interface Packetizer {
  readonly codec: Codec;
  /**
   * Cuts one encoded frame into RTP payloads of at most `maxPayloadBytes`; the caller sets the marker on the
   * last one of a picture. `temporalLayer` is written where the payload format has a place for it.
   */
  packetize(frame: Buffer, options: { keyframe: boolean; temporalLayer?: TemporalLayer }): Buffer[];
}

export interface DepacketizedFrame {
  readonly data: Buffer;
  readonly keyframe: boolean;
  /** Size of the picture where the payload says it (VP8 and H.264 keyframes, VP9, AV1 sequence headers). */
  readonly width?: number;
  readonly height?: number;
}

export interface TemporalPosition extends TemporalLayer {
  /** Running number of the last picture of temporal layer 0, this one included, 8 bits. */
  readonly basePicture: number;
}

export interface Depacketizer {
  readonly codec: Codec;
  /** Whether the payload is the first of a frame. */
  isFrameStart(payload: Buffer): boolean;
  /**
   * Where the frame that the payload starts stands in a stream of temporal layers: what was lost before it does not
   * matter if it depends on none of it. `undefined` where the payload does not say so.
   */
  readTemporalPosition?(payload: Buffer): TemporalPosition | undefined;
  /** Whether a payload that starts a frame starts a keyframe. */
  isKeyFrameStart(payload: Buffer): boolean;
  /**
   * Puts the payloads of one picture, complete and in order, together. `undefined` for payloads that are
   * malformed. The result shares no memory with the payloads.
   */
  depacketize(payloads: readonly Buffer[]): DepacketizedFrame | undefined;
}

/** What a source of encoded media gives and what a sink takes. The same for files, devices and screens. */

export type VideoCodec = 'vp8' | 'vp9' | 'h264' | 'av1';
export type Codec = VideoCodec | 'opus';

/** Where a picture stands in a stream of temporal layers. */
export interface TemporalLayer {
  /** 0 (the base) to 3. */
  readonly id: number;
  /** The picture depends on temporal layer 0 only. */
  readonly sync: boolean;
}

/** One encoded picture of one simulcast layer, or one Opus frame. */
export interface EncodedFrame {
  readonly kind: 'audio' | 'video';
  /** Simulcast layer, 0 the lowest; 0 for audio. */
  readonly layer: number;
  readonly data: Buffer;
  /** A picture that decodes without any before it; every Opus frame does. */
  readonly keyframe: boolean;
  /** Capture time on the source's own clock, microseconds; audio and video of a source share the clock. */
  readonly timestampUs: number;
  readonly durationUs: number;
  /** Video with temporal layers: the picture's; without it none may be dropped. */
  readonly temporalLayer?: TemporalLayer;
  /** Audio: level in −dBov, 0 (loudest) to 127 (silence), RFC 6464. */
  readonly audioLevel?: number;
}

export interface VideoLayer {
  readonly width: number;
  readonly height: number;
  /** Bits a second that the encoder was told. */
  readonly bitrate: number;
}

export interface VideoDescription {
  readonly codec: VideoCodec;
  /** Aligned simulcast layers, lowest first: frame n of each is the same picture. */
  readonly layers: readonly VideoLayer[];
  /** Nominal frames a second; a file with variable rate keeps its own timestamps. */
  readonly frameRate: number;
}

export interface AudioDescription {
  readonly codec: 'opus';
  readonly channels: 1 | 2;
}

export interface SourceSink {
  /** Called at the frame's due time. All layers of a picture come one after the other, lowest first. */
  frame(frame: EncodedFrame): void;
  /** The source has no more to give; never called when it loops. */
  ended(): void;
  /** The source failed for good. */
  failed(error: Error): void;
  /** Its device is gone, and the source waits for it, or it has come back. */
  available?(kind: 'audio' | 'video', available: boolean): void;
}

/** A source of encoded media. `close()` may be called twice and ends every process it started. */
export interface EncodedSource {
  readonly video?: VideoDescription;
  readonly audio?: AudioDescription;
  /**
   * Wall clock minus the source's clock, milliseconds, where its times are those of capture; without it a frame counts
   * as captured when it comes.
   */
  readonly clockOffsetMs?: number;
  start(sink: SourceSink): void;
  /** Makes the layer's next picture that can be one a keyframe, within 250 ms and without a gap. */
  requestKeyFrame(layer: number): void;
  /** A layer that nobody wants is not read or encoded. All are active at the start. */
  setLayerActive(layer: number, active: boolean): void;
  /** Makes the pictures of all active layers of so many bits a second together, where the source can do that. */
  setBitrate?(bitrate: number): void;
  /** Protects the sound for so much loss on its way, in percent, where the source can do that. */
  setAudioLoss?(loss: number): void;
  close(): Promise<void>;
}

import type { EncodedFrame, EncodedSource, SourceSink } from '../types.ts';

/** One source of the picture of one and the sound of another, on one clock: that of the process. */
export class Together implements EncodedSource {
  readonly clockOffsetMs = performance.timeOrigin;
  readonly #picture: EncodedSource;
  readonly #sound: EncodedSource;

  constructor(picture: EncodedSource, sound: EncodedSource) {
    this.#picture = picture;
    this.#sound = sound;
  }

  get video() {
    return this.#picture.video;
  }

  get audio() {
    return this.#sound.audio;
  }

  start(sink: SourceSink): void {
    for (const source of [this.#picture, this.#sound]) {
      const shift = shiftOf(source);
      source.start({
        frame: (frame) => sink.frame(shift(frame)),
        ended: () => sink.ended(),
        failed: (error) => sink.failed(error),
        available: (kind, available) => sink.available?.(kind, available),
      });
    }
  }

  requestKeyFrame(layer: number): void {
    this.#picture.requestKeyFrame(layer);
  }

  setLayerActive(layer: number, active: boolean): void {
    this.#picture.setLayerActive(layer, active);
  }

  setBitrate(bitrate: number): void {
    this.#picture.setBitrate?.(bitrate);
  }

  setAudioLoss(percent: number): void {
    this.#sound.setAudioLoss?.(percent);
  }

  async close(): Promise<void> {
    await Promise.all([this.#picture.close(), this.#sound.close()]);
  }
}

/** Puts a source's frames on the process's clock; one that does not tell its own begins with its first frame. */
function shiftOf({ clockOffsetMs }: EncodedSource): (frame: EncodedFrame) => EncodedFrame {
  let shiftUs = clockOffsetMs === undefined ? undefined : (clockOffsetMs - performance.timeOrigin) * 1_000;
  return (frame) => {
    shiftUs ??= performance.now() * 1_000 - frame.timestampUs;
    return { ...frame, timestampUs: Math.round(frame.timestampUs + shiftUs) };
  };
}

/** The pictures of a stored track, decoded as they are needed: none is left out because a machine is slow. */
import { pictureSize } from '../../media/rtp/picture-size.ts';
import type { VideoCodec } from '../../media/types.ts';
import type { I420Picture } from '../canvas/picture.ts';
import type { Decoders } from '../decode/decoders.ts';
import { TrackDecoder } from '../decode/track-decoder.ts';
import type { PictureInput } from '../live/picture-maker.ts';
import { PictureQueue } from '../live/picture-queue.ts';
import type { StoredFrame, StoredTrack } from '../tracks/index.ts';
import { StoredFrames } from './stored-frames.ts';

/** Frames that are with the decoder at a time, and how far ahead they are of what is shown. */
const MOST_DECODING = 12;
const AHEAD_MS = 300;
/** A decoder that gives nothing for so long has swallowed what it was given. */
const SWALLOWED_MS = 1_500;

export class StoredVideo implements PictureInput {
  readonly #codec: VideoCodec;
  readonly #frames: StoredFrames;
  readonly #decoder: TrackDecoder;
  readonly #pictures: PictureQueue;
  #decoding = 0;
  #size: string | undefined;
  #needsKeyframe = true;
  #onChange: (() => void) | undefined;

  constructor(track: StoredTrack, codec: VideoCodec, decoders: Decoders) {
    this.#codec = codec;
    this.#frames = new StoredFrames(track);
    this.#pictures = new PictureQueue(decoders.memory, Number.POSITIVE_INFINITY);
    this.#decoder = new TrackDecoder(codec, decoders);
    this.#decoder.on('picture', ({ frame, ...picture }) => {
      this.#pictures.keep(picture, frame.capturedAtMs ?? 0);
      this.#decoding = Math.max(0, this.#decoding - 1);
      this.#onChange?.();
    });
    this.#decoder.on('failed', () => {
      this.#needsKeyframe = true;
      this.#decoding = 0;
      this.#onChange?.();
    });
  }

  /** Resolves when the picture of a wall time is there, as far as there is one. Times never go back. */
  async advance(wallMs: number): Promise<void> {
    for (;;) {
      if ((this.#pictures.latestAt ?? Number.NEGATIVE_INFINITY) > wallMs) return;
      const next = await this.#frames.peek();
      const isDue = next !== undefined && next.capturedAt <= wallMs + AHEAD_MS;
      if (isDue && this.#decoding < MOST_DECODING) await this.#decode(next);
      else if (this.#decoding === 0) return;
      else await this.#change();
    }
  }

  show(wallMs: number, put: (picture: I420Picture) => void): boolean {
    return this.#pictures.show(wallMs, put);
  }

  async close(): Promise<void> {
    this.#onChange?.();
    this.#pictures.clear();
    await this.#decoder.close();
    await this.#frames.close();
  }

  async #decode(frame: StoredFrame): Promise<void> {
    this.#frames.drop();
    if (this.#needsKeyframe && !frame.keyframe) return;
    const { width, height } = (frame.keyframe && pictureSize(this.#codec, frame.data)) || {};
    if (width !== undefined && this.#size !== `${width}x${height}`) {
      // The next size is another decoder's: the last one gives all that it has first.
      while (this.#decoding > 0) await this.#change();
      this.#size = `${width}x${height}`;
    }
    this.#needsKeyframe = false;
    this.#decoding += 1;
    this.#decoder.write({
      ...{
        data: frame.data,
        keyframe: frame.keyframe,
        mediaTimeMs: frame.timeMs,
        captureTimeMs: frame.capturedAt,
      },
      ...(width !== undefined && height !== undefined && { width, height }),
    });
  }

  /** Resolves with the next picture, or when none comes any more. */
  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => {
        this.#decoding = 0;
        this.#onChange?.();
      }, SWALLOWED_MS);
      this.#onChange = () => {
        clearTimeout(timer);
        this.#onChange = undefined;
        resolve();
      };
    });
  }
}

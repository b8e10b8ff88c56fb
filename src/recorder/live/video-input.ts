/** The pictures of a received track on their way into the recording's. */
import type { ReceivedFrame } from '../../client/types.ts';
import type { VideoCodec } from '../../media/types.ts';
import type { MeetError } from '../../protocol/errors.ts';
import type { I420Picture } from '../canvas/picture.ts';
import type { Decoders } from '../decode/decoders.ts';
import { TrackDecoder } from '../decode/track-decoder.ts';
import { PictureQueue } from './picture-queue.ts';

/**
 * Frames go to the decoder so long before their picture is shown: encoded they take a fiftieth of the memory. It is
 * what decoders take on a machine that is busy.
 */
export const DECODE_AHEAD_MS = 200;
/** Pictures that wait to be shown; beyond these the oldest go. */
const MAX_PICTURES = 24;
/** Encoded frames that wait for their time: more than they can be early. */
const MAX_FRAMES = 300;

interface WaitingFrame {
  readonly frame: ReceivedFrame;
  readonly capturedAt: number;
}

export interface VideoInputOptions {
  readonly codec: VideoCodec;
  readonly decoders: Decoders;
  readonly requestKeyFrame: () => void;
  /** A decoder died; another one goes on. */
  readonly onFailed: (error: MeetError) => void;
}

export class VideoInput {
  readonly #pictures: PictureQueue;
  readonly #decoder: TrackDecoder;
  #frames: WaitingFrame[] = [];
  #closed = false;

  constructor({ codec, decoders, requestKeyFrame, onFailed }: VideoInputOptions) {
    this.#pictures = new PictureQueue(decoders.memory, MAX_PICTURES);
    this.#decoder = new TrackDecoder(codec, decoders);
    this.#decoder.on('keyframe-needed', requestKeyFrame);
    this.#decoder.on('failed', onFailed);
    this.#decoder.on('picture', ({ frame, ...picture }) => {
      if (!this.#closed) this.#pictures.keep(picture, frame.capturedAtMs ?? 0);
    });
  }

  /** Takes a frame in decoding order with the time of its capture, on the recorder's clock. */
  write(frame: ReceivedFrame, capturedAt: number): void {
    if (this.#closed) return;
    this.#frames.push({ frame, capturedAt });
    // Whoever falls so far behind begins anew: nothing of it will be shown in time.
    if (this.#frames.length > MAX_FRAMES) this.#flush();
  }

  /** Gives to the decoder what is to be shown soon. */
  decodeUntil(wallMs: number): void {
    let count = 0;
    for (const { frame, capturedAt } of this.#frames) {
      if (capturedAt > wallMs) break;
      this.#decoder.write({ ...frame, captureTimeMs: capturedAt });
      count += 1;
    }
    if (count > 0) this.#frames = this.#frames.slice(count);
  }

  /** Passes on the latest picture that was captured by a wall time, where there is a new one. */
  show(wallMs: number, put: (picture: I420Picture) => void): boolean {
    return this.#pictures.show(wallMs, put);
  }

  /** Ends its decoder. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#pictures.clear();
    await this.#decoder.close();
  }

  #flush(): void {
    for (const { frame, capturedAt } of this.#frames.splice(0))
      this.#decoder.write({ ...frame, captureTimeMs: capturedAt });
  }
}

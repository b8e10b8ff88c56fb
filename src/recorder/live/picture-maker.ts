/** Makes the recording's pictures of what was received. */
import type { RemoteTrack } from '../../client/peer/remote-track.ts';
import type { ReceivedFrame } from '../../client/types.ts';
import type { MeetError } from '../../protocol/errors.ts';
import { Composer } from '../canvas/composer.ts';
import type { I420Picture } from '../canvas/picture.ts';
import { Decoders } from '../decode/decoders.ts';
import type { Size } from '../layout/rect.ts';
import { TRANSITION_MS } from '../layout/transition.ts';
import type { Scene } from '../layout/types.ts';
import { DECODE_AHEAD_MS, VideoInput } from './video-input.ts';

/** A stream that stands still is shown so; looking once a second is enough. */
const LOOK_INTERVAL_MS = 1_000;

export interface PictureMakerOptions extends Size {
  readonly fps: number;
  readonly clock: boolean;
  readonly ffmpeg: string;
  readonly onDecoderFailed: (error: MeetError) => void;
}

/** Where pictures of a track come from. */
export interface PictureInput {
  /** Passes on the latest picture that was captured by a wall time, where there is a new one. */
  show(wallMs: number, put: (picture: I420Picture) => void): boolean;
  close(): Promise<void>;
}

export class PictureMaker {
  readonly #options: PictureMakerOptions;
  readonly #composer: Composer;
  readonly #decoders: Decoders;
  readonly #received = new Map<string, VideoInput>();
  readonly #inputs = new Map<string, PictureInput>();
  readonly #closing = new Set<Promise<void>>();
  /** Drawn and not given back yet: an encoder reads them. */
  #out: Uint8Array[] = [];
  #movingUntil = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #second = Number.NaN;

  constructor(options: PictureMakerOptions) {
    this.#options = options;
    this.#composer = new Composer(options);
    this.#decoders = new Decoders(this.#composer.memory, { ffmpegPath: options.ffmpeg });
  }

  /** Takes a frame of a video in decoding order. */
  write(track: RemoteTrack, frame: ReceivedFrame, capturedAt: number): void {
    if (track.codec === 'opus') return;
    const input =
      this.#received.get(track.id) ??
      new VideoInput({
        codec: track.codec,
        decoders: this.#decoders,
        requestKeyFrame: () => track.requestKeyFrame(),
        onFailed: this.#options.onDecoderFailed,
      });
    this.#received.set(track.id, input);
    this.#inputs.set(track.id, input);
    input.write(frame, capturedAt);
  }

  /** Takes the pictures of a track that is not received, made with the decoders that it is given. */
  add<Input extends PictureInput>(trackId: string, make: (decoders: Decoders) => Input): Input {
    const input = make(this.#decoders);
    this.#inputs.set(trackId, input);
    return input;
  }

  /** The track has ended; its last picture stays for as long as it is in the scene. */
  end(trackId: string): void {
    const input = this.#inputs.get(trackId);
    if (input === undefined || !this.#inputs.delete(trackId)) return;
    this.#received.delete(trackId);
    const closing = input.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  /** Lets decoders work on what is shown soon after a wall time. */
  prepare(wallMs: number): void {
    for (const input of this.#received.values()) input.decodeUntil(wallMs + DECODE_AHEAD_MS);
  }

  /** Takes what is new at a wall time; gives whether the picture is another one than before. */
  update(wallMs: number, scene: Scene | undefined): boolean {
    if (scene !== undefined) {
      this.#composer.setScene(scene, wallMs);
      // One more, in which everything has come to rest.
      this.#movingUntil = wallMs + TRANSITION_MS + 1000 / this.#options.fps;
    }
    // The nearest in time: half a picture early is as well as half a picture late.
    const until = wallMs + 500 / this.#options.fps;
    let changed = false;
    for (const [trackId, input] of this.#inputs) {
      if (input.show(until, (picture) => this.#composer.put(trackId, picture))) changed = true;
    }
    const second = this.#options.clock ? Math.floor(wallMs / 1000) : 0;
    const look = wallMs - this.#lookedAt >= LOOK_INTERVAL_MS;
    const other = changed || wallMs <= this.#movingUntil || second !== this.#second || look;
    if (look) this.#lookedAt = wallMs;
    this.#second = second;
    return other;
  }

  /** Draws the picture of a wall time; its memory stays as it is until `release`. */
  draw(wallMs: number): Uint8Array {
    const picture = this.#composer.draw(wallMs);
    this.#out.push(picture);
    return picture;
  }

  /** Nobody reads the pictures any more that were drawn. */
  release(): void {
    for (const picture of this.#out.splice(0)) this.#composer.release(picture);
  }

  /** Ends all decoders. */
  async close(): Promise<void> {
    for (const trackId of [...this.#inputs.keys()]) this.end(trackId);
    await Promise.all(this.#closing);
    await this.#decoders.close();
    this.#composer.close();
  }
}

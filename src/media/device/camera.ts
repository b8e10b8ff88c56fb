import { simulcastLayers } from '../encode/layers.ts';
import type { LiveCodec } from '../encode/live-encoder.ts';
import { LiveVideo } from '../encode/live-video.ts';
import { findFfmpeg } from '../ffmpeg/locate.ts';
import type { EncodedSource, SourceSink, VideoDescription } from '../types.ts';
import { CAMERA_RATE, CameraFeed, type CameraFeedOptions } from './camera-feed.ts';

export interface CameraOptions extends CameraFeedOptions {
  readonly codec?: LiveCodec;
  /** A camera that is open already, for others too: it is closed with this source. */
  readonly feed?: CameraFeed;
}

/** A camera as a source: its pictures encoded live into three layers. */
export class Camera implements EncodedSource {
  readonly #feed: CameraFeed;
  readonly #live: LiveVideo;
  readonly #openedMs = performance.now();
  readonly #encode = () => this.#onPicture();
  readonly #told = (available: boolean) => this.#sink?.available?.('video', available);
  #sink: SourceSink | undefined;
  #failure: Error | undefined;
  #closed = false;

  private constructor(feed: CameraFeed, live: (outlets: Outlets) => LiveVideo) {
    this.#feed = feed;
    this.#live = live({
      onFrame: (frame) => this.#sink?.frame(frame),
      onFailed: (error) => {
        this.#failure ??= error;
        this.#sink?.failed(error);
      },
    });
    feed.on('picture', this.#encode);
    feed.on('available', this.#told);
  }

  /** @throws MeetError `device-unusable`, `ffmpeg-missing` */
  static async open(options: CameraOptions = {}): Promise<Camera> {
    const { codec = 'vp8', ffmpegPath } = options;
    const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
    const feed = options.feed ?? (await CameraFeed.open(options));
    const { width, height } = feed.picture.size;
    const layers = simulcastLayers(width, height);
    return new Camera(
      feed,
      (outlets) => new LiveVideo({ ffmpeg, codec, layers, frameRate: CAMERA_RATE, ...outlets }),
    );
  }

  get video(): VideoDescription {
    return this.#live.description;
  }

  get clockOffsetMs(): number {
    return performance.timeOrigin + this.#openedMs;
  }

  start(sink: SourceSink): void {
    this.#sink = sink;
    if (this.#failure) sink.failed(this.#failure);
    else if (!this.#feed.available) sink.available?.('video', false);
  }

  requestKeyFrame(layer: number): void {
    this.#live.requestKeyFrame(layer);
  }

  setLayerActive(layer: number, active: boolean): void {
    this.#live.setLayerActive(layer, active);
  }

  setBitrate(bitrate: number): void {
    this.#live.setBitrate(bitrate);
  }

  /** A picture that the encoders have no time for is left out, as the next one comes soon. */
  #onPicture(): void {
    if (this.#sink === undefined || this.#closed || this.#live.busy) return;
    const { picture } = this.#feed;
    const layers = [...this.#live.wanted].map(([layer, size]) => [layer, picture.picture(size)] as const);
    this.#live.encode(new Map(layers), performance.now() - this.#openedMs);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#sink = undefined;
    await Promise.all([this.#feed.close(), this.#live.close()]);
  }
}

type Outlets = Pick<ConstructorParameters<typeof LiveVideo>[0], 'onFrame' | 'onFailed'>;

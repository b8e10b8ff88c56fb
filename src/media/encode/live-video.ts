import type { Size } from '../capture/pixels.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { EncodedFrame, VideoDescription, VideoLayer } from '../types.ts';
import { screenArguments } from './codecs.ts';
import { type LiveCodec, LiveEncoder, type LivePicture } from './live-encoder.ts';
import { Vp8TemporalLayers } from './vp8-temporal-layers.ts';

export interface LiveVideoOptions {
  readonly ffmpeg: Ffmpeg;
  readonly codec: LiveCodec;
  /** Lowest first. */
  readonly layers: readonly VideoLayer[];
  /** Nominal pictures a second. */
  readonly frameRate: number;
  /** It is a screen, whose pictures all build on one another and get as sharp as the rate allows. */
  readonly screen?: boolean;
  readonly onFrame: (frame: EncodedFrame) => void;
  readonly onFailed: (error: Error) => void;
}

/** Changes of a rate that are not worth a keyframe, as a factor. */
const RATE_STEP = 1.25;
/** No layer is made for less: beneath, the layer as a whole is left out. */
const LOWEST_SHARE = 0.35;

interface Layer {
  encoder: LiveEncoder | undefined;
  /** What it is encoded for now; the size is that of the picture, the rate follows the uplink. */
  target: VideoLayer;
  active: boolean;
  keyframeWanted: boolean;
  temporal: Vp8TemporalLayers | undefined;
}

/** Encodes pictures as they come into simulcast layers, one process each; a layer that nobody wants costs nothing. */
export class LiveVideo {
  readonly #options: LiveVideoOptions;
  readonly #layers: Layer[];
  /** Encoders that another took the place of. */
  readonly #closing = new Set<Promise<void>>();
  #share = 1;
  #closed = false;

  constructor(options: LiveVideoOptions) {
    this.#options = options;
    this.#layers = options.layers.map((layer) => ({
      encoder: undefined,
      target: layer,
      active: true,
      keyframeWanted: false,
      temporal: undefined,
    }));
  }

  get description(): VideoDescription {
    const { codec, layers, frameRate } = this.#options;
    return { codec, layers, frameRate };
  }

  /** Sizes of the layers that are encoded now, by number. */
  get wanted(): ReadonlyMap<number, Size> {
    return new Map(this.#layers.flatMap(({ active, target }, index) => (active ? [[index, target]] : [])));
  }

  /** Some layer waits for a keyframe. */
  get keyframeWanted(): boolean {
    return this.#layers.some(({ active, keyframeWanted }) => active && keyframeWanted);
  }

  /** The encoders have no room for another picture. */
  get busy(): boolean {
    return this.#layers.some(({ active, encoder }) => active && encoder?.busy === true);
  }

  /** Process ids of the encoders. */
  get pids(): number[] {
    return this.#layers.flatMap(({ encoder }) => encoder?.pid ?? []);
  }

  requestKeyFrame(layer: number): void {
    const found = this.#layers[layer];
    if (found) found.keyframeWanted = true;
  }

  setLayerActive(layer: number, active: boolean): void {
    const found = this.#layers[layer];
    if (!found || found.active === active) return;
    found.active = active;
    found.keyframeWanted = active;
  }

  /** The layers are of these sizes from the next picture on. */
  resize(sizes: readonly Size[]): void {
    this.#layers.forEach((layer, index) => {
      const size = sizes[index];
      if (size === undefined) return;
      if (size.width === layer.target.width && size.height === layer.target.height) return;
      layer.target = { ...layer.target, width: size.width, height: size.height };
      this.#retire(layer);
    });
  }

  /**
   * Encodes for so many bits a second of all active layers together. A new rate is a new process and a keyframe, so
   * small changes are left alone.
   */
  setBitrate(bitrate: number): void {
    const active = this.#options.layers.filter((_, index) => this.#layers[index]!.active);
    const full = active.reduce((sum, layer) => sum + layer.bitrate, 0);
    if (full === 0) return;
    const share = Math.min(1, Math.max(LOWEST_SHARE, bitrate / full));
    const ratio = share / this.#share;
    if (share === this.#share || (ratio < RATE_STEP && ratio > 1 / RATE_STEP && share < 1)) return;
    this.#share = share;
    this.#layers.forEach((layer, index) => {
      layer.target = {
        ...layer.target,
        bitrate: Math.round(this.#options.layers[index]!.bitrate * share),
      };
      this.#retire(layer);
    });
  }

  /** Encodes a picture in the layers that it is given for; those that are too busy are left out and asked again. */
  encode(pictures: ReadonlyMap<number, Buffer>, timeMs: number): void {
    if (this.#closed) return;
    for (const [index, picture] of pictures) {
      const layer = this.#layers[index];
      if (!layer?.active) continue;
      layer.encoder ??= this.#start(index, layer);
      if (layer.encoder.busy) continue;
      layer.encoder.encode(picture, timeMs, layer.keyframeWanted);
      layer.keyframeWanted = false;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const layer of this.#layers) this.#retire(layer);
    await Promise.all(this.#closing);
  }

  #start(index: number, layer: Layer): LiveEncoder {
    const { ffmpeg, codec, screen = false, onFailed } = this.#options;
    layer.temporal = codec === 'vp8' && !screen ? new Vp8TemporalLayers() : undefined;
    const encoder: LiveEncoder = new LiveEncoder({
      ffmpeg,
      codec,
      layer: layer.target,
      args: screen ? screenArguments(codec, layer.target.bitrate) : undefined,
      onPicture: (picture) => {
        if (layer.encoder === encoder) this.#give(index, layer, picture);
      },
      onFailed: (error) => {
        if (layer.encoder === encoder) onFailed(error);
      },
    });
    return encoder;
  }

  #give(index: number, layer: Layer, { data, keyframe, timeMs }: LivePicture): void {
    const temporalLayer = layer.temporal?.read(data);
    if (!layer.active || this.#closed) return;
    this.#options.onFrame({
      kind: 'video',
      layer: index,
      data,
      keyframe,
      timestampUs: Math.round(timeMs * 1_000),
      durationUs: Math.round(1e6 / this.#options.frameRate),
      ...(temporalLayer === undefined ? {} : { temporalLayer }),
    });
  }

  #retire(layer: Layer): void {
    const { encoder } = layer;
    if (encoder === undefined) return;
    layer.encoder = undefined;
    const closing = encoder.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

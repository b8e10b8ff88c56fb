import type { EncodedMedia } from '../cache/media.ts';
import { cellTicks, TICKS_PER_SECOND } from '../encode/keyframe-grid.ts';
import { Vp8TemporalLayers } from '../encode/vp8-temporal-layers.ts';
import type { EncodedFrame, TemporalLayer } from '../types.ts';
import { INTERLEAVE_TICKS } from './audio-cursor.ts';
import type { Cursor, CycleLength } from './cursor.ts';
import { LayerCursor } from './layer-cursor.ts';
import type { Passes } from './passes.ts';

/** Starts that are read when a keyframe is wanted: the next may be too close to be read in time. */
const STARTS_AHEAD = 2;

/** Gives the pictures of all active layers in order, and keyframes where they are wanted. */
export class VideoCursor implements Cursor {
  readonly #passes: Passes;
  readonly #loop: boolean;
  readonly #cycle: CycleLength;
  readonly #layers: LayerCursor[];
  /** For each layer, where the codec has temporal layers. */
  readonly #temporal: Vp8TemporalLayers[];
  #media: EncodedMedia;
  #picture = 0;
  /** Added to times when the last pictures are shown again. */
  #heldTicks = 0;
  #lastDue = 0;
  pass = 0;
  cycleStart = 0;

  constructor(options: { passes: Passes; loop: boolean; cycle: CycleLength; wake: () => void }) {
    this.#passes = options.passes;
    this.#loop = options.loop;
    this.#cycle = options.cycle;
    this.#media = options.passes.first;
    this.#layers = (this.#media.video?.layers ?? []).map((_, layer) => new LayerCursor(layer, options.wake));
    const layered = this.#media.video?.codec === 'vp8';
    this.#temporal = layered ? this.#layers.map(() => new Vp8TemporalLayers()) : [];
  }

  get passTicks(): number {
    return this.#media.pictures[this.#picture] ?? this.#media.videoTicks;
  }

  get knownTicks(): number {
    if (this.#media.complete) return Infinity;
    return this.cycleStart + Math.max(this.#media.videoTicks, this.#media.audioTicks - INTERLEAVE_TICKS);
  }

  next(): number | 'waiting' | 'ended' {
    const ticks = this.#media.pictures[this.#picture];
    if (ticks !== undefined) return this.cycleStart + ticks + this.#heldTicks;
    if (!this.#media.complete) return 'waiting';
    const cycle = this.#cycle(this.pass);
    if (cycle === undefined) return 'waiting';
    if (!this.#loop) return 'ended';
    this.pass += 1;
    this.cycleStart += cycle;
    this.#picture = 0;
    this.#heldTicks = 0;
    this.#media = this.#passes.pass(this.pass);
    for (const layer of this.#layers) layer.reset();
    return this.next();
  }

  take(toUs: (ticks: number) => number): EncodedFrame[] | undefined {
    const { pictures, video } = this.#media;
    const ready = this.#layers.map((layer) => layer.prepare(this.#media, this.#picture));
    if (ready.includes(false)) return undefined;
    const ticks = pictures[this.#picture]!;
    this.#lastDue = this.cycleStart + ticks + this.#heldTicks;
    const timestampUs = toUs(this.#lastDue);
    const next =
      pictures[this.#picture + 1] ?? ticks + Math.round(TICKS_PER_SECOND / (video?.frameRate ?? 30));
    const durationUs = Math.round(((next - ticks) * 1e6) / TICKS_PER_SECOND);
    const frames = this.#layers.flatMap((layer, index): EncodedFrame[] => {
      const frame = layer.take(this.#picture);
      if (!frame) return [];
      const temporalLayer = this.#temporalLayer(index, frame.data);
      return [{ kind: 'video', layer: index, ...frame, timestampUs, durationUs, ...temporalLayer }];
    });
    this.#picture += 1;
    for (const layer of this.#layers) {
      if (layer.active && layer.keyFrameWanted) layer.readAhead(this.#media, this.#picture, STARTS_AHEAD);
    }
    return frames;
  }

  #temporalLayer(layer: number, picture: Buffer): { temporalLayer?: TemporalLayer } {
    const temporalLayer = this.#temporal[layer]?.read(picture);
    return temporalLayer === undefined ? {} : { temporalLayer };
  }

  /** `nowTicks` is the source's time. */
  requestKeyFrame(layer: number, nowTicks: number): void {
    const cursor = this.#layers[layer];
    if (!cursor) return;
    cursor.keyFrameWanted = true;
    if (!cursor.active) return;
    if (this.#media.complete && this.#picture >= this.#media.pictures.length) this.#showEndAgain(nowTicks);
    cursor.readAhead(this.#media, this.#picture, STARTS_AHEAD);
  }

  setLayerActive(layer: number, active: boolean, nowTicks: number): void {
    const cursor = this.#layers[layer];
    if (!cursor || cursor.active === active) return;
    cursor.active = active;
    cursor.reset({ joining: active });
    if (active) this.requestKeyFrame(layer, nowTicks);
  }

  /**
   * While the last picture stands because the sound is longer, a keyframe can only be one that was shown before: the
   * pictures since the last start, at most 125 ms, are shown again.
   */
  #showEndAgain(nowTicks: number): void {
    const { pictures } = this.#media;
    const cell = cellTicks(3);
    const last = pictures.length - 1;
    let first = last;
    while (first > 0 && Math.floor(pictures[first - 1]! / cell) === Math.floor(pictures[last]! / cell))
      first -= 1;
    this.#picture = first;
    this.#heldTicks = Math.max(this.#lastDue + 1, nowTicks) - this.cycleStart - pictures[first]!;
    for (const layer of this.#layers) {
      layer.reset();
      layer.keyFrameWanted = true;
    }
  }
}

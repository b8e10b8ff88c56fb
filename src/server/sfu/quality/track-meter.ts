/** What is known of a published track: which layers it has, what they cost, and who wants them. */
import type { Producer, ProducerStat } from 'mediasoup/types';
import type { MediaSource } from '../../../protocol/model.ts';
import type { PublishedTrack } from '../../../protocol/signaling.ts';
import { rtpParametersOf } from '../rtp-parameters.ts';
import type { LayerInput } from './types.ts';

type DeclaredLayer = NonNullable<PublishedTrack['layers']>[number];

/** What the parts of the server that send a track know of it. */
export interface MeteredTrack {
  readonly id: string;
  readonly peerId: string;
  readonly kind: 'audio' | 'video';
  readonly source: MediaSource;
  readonly producer: Producer;
  /** As the sender described them, lowest first. */
  readonly layers?: readonly DeclaredLayer[];
}

/** What a sender that says nothing of its layers is taken to send. */
const USUAL_LAYERS: readonly DeclaredLayer[] = [
  { height: 180, bitrate: 150_000 },
  { height: 360, bitrate: 600_000 },
  { height: 720, bitrate: 1_500_000 },
];
/** Share of a measurement in the running mean; at one a second it forgets within some seconds. */
const SMOOTHING = 0.25;
/** A layer's cost changes only when the mean differs by so much from it, so that it does not move the decisions. */
const COST_CHANGE = 0.25;
/** A layer costs at least this share of what it is declared to: the next scene may need it. */
const LEAST_COST_SHARE = 0.5;
/** A new track's layers are taken for active while the first packets are on their way. */
const STARTING_MS = 3_000;
/** A layer that is wanted this long and does not come is left out of account. */
const MISSING_AFTER_MS = 6_000;
/** A layer is told to be unwanted only after this long: who turns a page back wants it again. */
export const SLEEP_AFTER_MS = 10_000;

interface Layer {
  readonly height: number;
  /** Bits a second of the whole layer, the running mean. */
  mean: number;
  /** Bits a second that decisions are based on. */
  cost: number;
  /** Shares of the cost up to each temporal layer. */
  shares: number[];
  active: boolean;
  wantedSinceMs: number | undefined;
}

export class TrackMeter {
  readonly track: MeteredTrack;
  readonly #createdAtMs: number;
  #layers: Layer[];
  #inputs: LayerInput[] | undefined;
  #scored = false;
  /** Highest layer wanted, by receiver. */
  readonly #wants = new Map<string, number>();
  #highest = -1;
  /** As last told to the sender: all layers up to this one. */
  #told: number;
  #tooHighSinceMs: number;
  /** Bits a second that come in, for tracks without layers. */
  bitrate = 0;

  constructor(track: MeteredTrack, nowMs: number) {
    this.track = track;
    this.#createdAtMs = nowMs;
    const { encodings = [{}] } = rtpParametersOf(track.producer);
    const spatial = /^[LS](\d)/.exec(encodings[0]?.scalabilityMode ?? '')?.[1];
    const count = Math.max(encodings.length, encodings.length === 1 && spatial ? Number(spatial) : 1);
    const declared = track.layers?.length === count ? track.layers : usualLayers(count);
    this.#layers = declared.map(({ height, bitrate }) => ({
      height,
      mean: bitrate,
      cost: bitrate,
      shares: [1],
      active: true,
      wantedSinceMs: undefined,
    }));
    this.#told = count - 1;
    this.#tooHighSinceMs = nowMs;
    track.producer.observer.on('score', (scores) => {
      // Only a producer of several streams notices that one of them is silent.
      if (encodings.length === 1) return;
      this.#scored = true;
      for (const [index, layer] of this.#layers.entries()) {
        this.#setActive(
          layer,
          scores.some((each) => each.encodingIdx === index && each.score > 0),
        );
      }
    });
  }

  /** Receivers that are sent the track or want to be. */
  get wanted(): boolean {
    return this.#wants.size > 0;
  }

  /** The same array until something changed. */
  layers(nowMs: number): readonly LayerInput[] {
    if (!this.#scored && nowMs - this.#createdAtMs > STARTING_MS && this.#simulcast) {
      for (const layer of this.#layers) this.#setActive(layer, false);
    }
    const inputs = this.#layers.map(({ height, cost, shares, active, wantedSinceMs }): LayerInput => {
      const missing = wantedSinceMs !== undefined && nowMs - wantedSinceMs >= MISSING_AFTER_MS;
      return {
        height,
        bitrates: shares.map((share) => cost * share),
        state: active ? 'active' : missing ? 'missing' : 'asleep',
      };
    });
    const states = (layers: readonly LayerInput[]) => layers.map(({ state }) => state).join();
    if (this.#inputs === undefined || states(this.#inputs) !== states(inputs)) this.#inputs = inputs;
    return this.#inputs;
  }

  /** Takes the worker's statistics of the producer, about once a second. */
  measure(stats: readonly ProducerStat[]): void {
    this.bitrate = stats.reduce((sum, each) => sum + each.bitrate, 0);
    const { encodings = [] } = rtpParametersOf(this.track.producer);
    for (const [index, layer] of this.#layers.entries()) {
      const own = this.#simulcast
        ? stats.find(({ rid, ssrc }) =>
            rid === undefined ? ssrc === encodings[index]?.ssrc : rid === encodings[index]?.rid,
          )
        : stats[0];
      const prefix = this.#simulcast ? '0.' : `${index}.`;
      const temporal = Object.entries(own?.bitrateByLayer ?? {})
        .filter(([key, bitrate]) => key.startsWith(prefix) && bitrate > 0)
        .map(([, bitrate]) => bitrate)
        .sort((a, b) => a - b);
      const total =
        temporal.at(-1) ?? (this.#layers.length === 1 || this.#simulcast ? (own?.bitrate ?? 0) : 0);
      if (!this.#simulcast && this.#layers.length > 1) this.#setActive(layer, total > 0);
      if (total <= 0 || !layer.active) continue;
      layer.mean += (total - layer.mean) * SMOOTHING;
      this.#adopt(layer, index, temporal.length > 1 ? temporal.map((each) => each / total) : [1]);
    }
  }

  /** @returns whether the sender should be told at once, because a layer is wanted that was not. */
  want(receiverId: string, layer: number | undefined, nowMs: number): boolean {
    const before = this.#wants.get(receiverId);
    if (before === layer) return false;
    if (layer === undefined) this.#wants.delete(receiverId);
    else this.#wants.set(receiverId, layer);
    const highest = Math.max(-1, ...this.#wants.values());
    if (highest !== this.#highest) {
      this.#highest = highest;
      for (const [index, each] of this.#layers.entries()) {
        if (index > highest) each.wantedSinceMs = undefined;
        else if (!each.active) each.wantedSinceMs ??= nowMs;
      }
    }
    return highest > this.#told;
  }

  /**
   * The layers to be sent when that has changed since the last call, `undefined` otherwise. They are always the lowest
   * ones up to the highest wanted: any receiver may need a lower one within a second, and a layer that sleeps takes
   * two to be used.
   */
  takeWanted(nowMs: number): number[] | undefined {
    if (this.#highest >= this.#told) this.#tooHighSinceMs = nowMs;
    const lower = this.#highest < this.#told && nowMs - this.#tooHighSinceMs >= SLEEP_AFTER_MS;
    if (!lower && this.#highest <= this.#told) return undefined;
    this.#told = this.#highest;
    return Array.from({ length: this.#told + 1 }, (_, index) => index);
  }

  /** The layers to be sent, as last told. */
  get told(): number[] | undefined {
    if (this.#told === this.#layers.length - 1) return undefined;
    return Array.from({ length: this.#told + 1 }, (_, index) => index);
  }

  get #simulcast(): boolean {
    return (rtpParametersOf(this.track.producer).encodings?.length ?? 1) > 1;
  }

  #setActive(layer: Layer, active: boolean): void {
    if (layer.active === active) return;
    layer.active = active;
    const wanted = this.#layers.indexOf(layer) <= this.#highest;
    layer.wantedSinceMs = active || !wanted ? undefined : performance.now();
    this.#inputs = undefined;
  }

  #adopt(layer: Layer, index: number, shares: number[]): void {
    const declared = (this.track.layers ?? usualLayers(this.#layers.length))[index]?.bitrate ?? 0;
    const cost = Math.max(layer.mean, declared * LEAST_COST_SHARE);
    if (Math.abs(cost - layer.cost) > layer.cost * COST_CHANGE) {
      layer.cost = cost;
      this.#inputs = undefined;
    }
    // A stream whose upper temporal layer pauses for a moment keeps its layers.
    if (shares.length > layer.shares.length) {
      layer.shares = shares;
      this.#inputs = undefined;
    }
  }
}

function usualLayers(count: number): DeclaredLayer[] {
  const extra = Math.max(0, count - USUAL_LAYERS.length);
  return [...Array<DeclaredLayer>(extra).fill(USUAL_LAYERS[0]!), ...USUAL_LAYERS.slice(-count)];
}

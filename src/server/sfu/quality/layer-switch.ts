/** Makes a consumer send what was decided, quickly and with no more packets than are of use. */
import type { Consumer } from 'mediasoup/types';
import { rtpParametersOf } from '../rtp-parameters.ts';
import type { LayerInput, VideoDecision } from './types.ts';

/**
 * The worker chooses a track's layers when its first packet comes, and temporal layers of which nothing has come yet have
 * no bit rate and are left out, until its next look at the bandwidth up to a second later. After so long a period of
 * three temporal layers has come.
 */
const THIN_START_MS = 140;
/** A sender that starts slowly is looked at so many times. */
const THIN_START_LOOKS = 4;

/**
 * A link that has become too narrow has a full queue in front of it, in which the keyframe of the lower layer is lost: at
 * 300 kbit/s the first one that came whole was a second late. In so long, and while the keyframe is waited for, it empties.
 */
const DRAIN_PAUSE_MS = 100;

// A worker that dies meanwhile takes the connection with it.
const ignore = (): void => {};

interface Applied {
  readonly decision: VideoDecision;
  readonly layers: readonly LayerInput[];
  readonly text: string;
}

export class LayerSwitch {
  readonly #consumer: Consumer;
  /** Pauses or resumes the consumer as the decision says. */
  readonly #settle: () => void;
  #held: boolean;
  #applied: Applied | undefined;
  #timer: NodeJS.Timeout | undefined;
  #draining: NodeJS.Timeout | undefined;

  constructor(consumer: Consumer, settle: () => void) {
    this.#consumer = consumer;
    this.#settle = settle;
    this.#held = consumer.paused;
    consumer.on('layerschange', () => this.#watchStart(THIN_START_LOOKS));
    consumer.observer.once('close', () => {
      clearTimeout(this.#timer);
      clearTimeout(this.#draining);
    });
  }

  /**
   * The worker shares the bandwidth out too, by the same estimate and what the layers take at the moment. It never sends
   * more than the layers preferred here; it sends less for a while when the estimate falls between two decisions.
   */
  apply(decision: VideoDecision, layers: readonly LayerInput[]): void {
    const hold = decision.layer < 0;
    if (hold !== this.#held) this.#settle();
    this.#held = hold;
    if (hold || this.#consumer.type === 'simple') return;
    const preferred = preferredLayers(decision, layers);
    const text = JSON.stringify(preferred);
    const before = this.#applied;
    this.#applied = { decision, layers, text };
    if (before?.text === text) return;
    const congested = decision.reason === 'bandwidth' || decision.reason === 'loss';
    const falls = before !== undefined && before.decision.layer > decision.layer;
    // The better layer would be sent until the keyframe of the other is there and be repeated for longer: on a link of
    // 150 kbit/s its retransmissions took 3 Mbit/s for a second and a half. Pausing drops them.
    const relieve = congested && falls && !this.#consumer.paused;
    if (relieve) this.#drain();
    this.#consumer.setPreferredLayers(preferred).catch(ignore);
  }

  #drain(): void {
    this.#consumer.pause().catch(ignore);
    clearTimeout(this.#draining);
    // Another decision or the receiver may have paused it meanwhile.
    this.#draining = setTimeout(this.#settle, DRAIN_PAUSE_MS);
  }

  #watchStart(looks: number): void {
    clearTimeout(this.#timer);
    if (looks === 0 || !this.#thin) return;
    this.#timer = setTimeout(() => {
      if (!this.#thin || this.#applied === undefined) return;
      const { decision, layers } = this.#applied;
      // The worker chooses again only when it is asked for something else.
      this.#consumer.setPreferredLayers({ spatialLayer: decision.layer, temporalLayer: 0 }).catch(ignore);
      this.#consumer.setPreferredLayers(preferredLayers(decision, layers)).catch(ignore);
      this.#watchStart(looks - 1);
    }, THIN_START_MS);
  }

  /** The worker sends fewer pictures of the right layer than it may. */
  get #thin(): boolean {
    const { closed, paused, currentLayers } = this.#consumer;
    if (closed || paused || this.#applied === undefined || !currentLayers) return false;
    const { decision, layers } = this.#applied;
    const { spatialLayer, temporalLayer = 0 } = currentLayers;
    const all = preferredLayers(decision, layers).temporalLayer === undefined;
    const wanted = all ? highestTemporalLayer(this.#consumer) : decision.temporalLayer;
    return spatialLayer === decision.layer && temporalLayer < wanted;
  }
}

function preferredLayers({ layer, temporalLayer }: VideoDecision, layers: readonly LayerInput[]) {
  const known = layers[layer]!.bitrates.length;
  // All of them while their number is not known.
  return { spatialLayer: layer, ...(temporalLayer < known - 1 ? { temporalLayer } : {}) } as {
    spatialLayer: number;
    temporalLayer?: number;
  };
}

/** Of what was negotiated, such as `L3T3`. */
function highestTemporalLayer(consumer: Consumer): number {
  const mode = rtpParametersOf(consumer).encodings?.[0]?.scalabilityMode;
  return Number(/T(\d)/.exec(mode ?? '')?.[1] ?? 1) - 1;
}

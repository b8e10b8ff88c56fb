/** A layer comes back when the bandwidth has allowed it for so long, the same as for receivers. */
export const RESUME_HOLD_MS = 5_000;
/** A layer comes back with a keyframe, which must not meet a queue that a probe has left. */
const MAX_RESUME_QUEUE_MS = 30;
/** RTP, extensions and SRTP beside the payload, and what encoders overshoot. */
const OVERHEAD = 1.05;
/** Opus at 32 to 48 kbit/s, and 50 headers a second. */
export const AUDIO_BITRATE = 60_000;
/** Loss from which the budget of the video is cut, and by how much. */
const LOSS = 0.1;
const LOSSY_SHARE = 0.8;

export interface UplinkLayersOptions {
  /** Bits a second of each layer, lowest first. */
  readonly bitrates: readonly number[];
  readonly audio: boolean;
}

/** What the uplink looks like now. */
export interface UplinkState {
  /** Bits a second. */
  readonly estimate: number;
  /** 0 to 1. */
  readonly lossFraction: number;
  /** What waits in the bottleneck, milliseconds. */
  readonly queueMs: number;
  readonly nowMs: number;
}

/**
 * Which simulcast layers the uplink can carry: the top one goes first and at once, and comes back when there was room
 * for it for five seconds. Sound is sent before any picture. A layer that nobody wants costs nothing.
 */
export class UplinkLayers {
  readonly #bitrates: readonly number[];
  readonly #audioBitrate: number;
  #wanted: ReadonlySet<number>;
  #allowed: number;
  #changedMs = Number.NEGATIVE_INFINITY;

  constructor({ bitrates, audio }: UplinkLayersOptions) {
    this.#bitrates = bitrates;
    this.#audioBitrate = audio ? AUDIO_BITRATE : 0;
    this.#wanted = new Set(bitrates.keys());
    this.#allowed = bitrates.length;
  }

  /** Layers that are to be sent, lowest first. */
  get active(): number[] {
    return [...this.#bitrates.keys()].filter((layer) => layer < this.#allowed && this.#wanted.has(layer));
  }

  /** Layers that somebody wants and the uplink was too narrow for, lowest first. */
  get paused(): number[] {
    return [...this.#bitrates.keys()].filter((layer) => layer >= this.#allowed && this.#wanted.has(layer));
  }

  /** When the uplink last took a layer away or gave one back. */
  get changedMs(): number {
    return this.#changedMs;
  }

  setWanted(layers: Iterable<number>): void {
    this.#wanted = new Set(layers);
  }

  /** Bits a second of the sound and these layers on the wire. */
  cost(layers: readonly number[]): number {
    return (
      this.#audioBitrate + layers.reduce((sum, layer) => sum + (this.#bitrates[layer] ?? 0), 0) * OVERHEAD
    );
  }

  /** Decides; gives whether other layers are allowed now. */
  update({ estimate, lossFraction, queueMs, nowMs }: UplinkState): boolean {
    const budget = lossFraction > LOSS ? estimate * LOSSY_SHARE : estimate;
    const before = this.#allowed;
    while (this.active.length > 0 && this.cost(this.active) > budget) this.#allowed = this.active.at(-1)!;
    const steady = queueMs <= MAX_RESUME_QUEUE_MS && nowMs - this.#changedMs >= RESUME_HOLD_MS;
    if (this.#allowed === before && steady) {
      for (const layer of this.paused) {
        if (this.cost([...this.active, layer]) <= budget) this.#allowed = layer + 1;
        else break;
      }
    }
    if (this.#allowed === before) return false;
    this.#changedMs = nowMs;
    return true;
  }
}

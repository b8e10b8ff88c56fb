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
  /** Bits a second of each layer, the most important first. */
  readonly bitrates: readonly number[];
  /** What a layer of a source that follows its bandwidth can do with; the same where it cannot. */
  readonly floors?: readonly number[];
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
  readonly #floors: readonly number[];
  readonly #audioBitrate: number;
  #wanted: ReadonlySet<number>;
  #allowed: number;
  #changedMs = Number.NEGATIVE_INFINITY;

  constructor({ bitrates, floors = bitrates, audio }: UplinkLayersOptions) {
    this.#bitrates = bitrates;
    this.#floors = floors;
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
    return this.#cost(layers, this.#bitrates);
  }

  /** Bits a second that are left for pictures of so many on the wire. */
  videoBudget(bitrate: number): number {
    return Math.max(0, (bitrate - this.#audioBitrate) / OVERHEAD);
  }

  #cost(layers: readonly number[], rates: readonly number[]): number {
    return this.#audioBitrate + layers.reduce((sum, layer) => sum + (rates[layer] ?? 0), 0) * OVERHEAD;
  }

  /** Decides; gives whether other layers are allowed now. */
  update({ estimate, lossFraction, queueMs, nowMs }: UplinkState): boolean {
    const budget = lossFraction > LOSS ? estimate * LOSSY_SHARE : estimate;
    const before = this.#allowed;
    while (this.active.length > 0 && this.#cost(this.active, this.#floors) > budget)
      this.#allowed = this.active.at(-1)!;
    const steady = queueMs <= MAX_RESUME_QUEUE_MS && nowMs - this.#changedMs >= RESUME_HOLD_MS;
    if (this.#allowed === before && steady) {
      for (const layer of this.paused) {
        if (this.#cost([...this.active, layer], this.#floors) <= budget) this.#allowed = layer + 1;
        else break;
      }
    }
    if (this.#allowed === before) return false;
    this.#changedMs = nowMs;
    return true;
  }
}

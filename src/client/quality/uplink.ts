import { EventEmitter } from 'node:events';
import { type Clock, systemClock } from '../rtp/clock.ts';
import type { RtpSession } from '../rtp/session.ts';
import { BandwidthEstimator, OVERLOAD_LOSS } from './bandwidth-estimator.ts';
import { Probe } from './probe.ts';
import { RESUME_HOLD_MS, UplinkLayers, type UplinkLayersOptions } from './uplink-layers.ts';

interface UplinkEvents {
  /** The layers to send, lowest first, are others now. */
  layers: [active: readonly number[]];
  /** Bits a second for the pictures that are sent, where their source can follow. */
  bitrate: [bitrate: number];
}

/** How often padding is sent during a probe, and the state is looked at otherwise. */
const PROBE_TICK_MS = 10;
const TICK_MS = 250;
/** What a probe aims at, over the cost of the layer that is to come back. */
const PROBE_MARGIN = 1.15;
/** Loss that a probe may meet: more says that the path has no room. */
const MAX_PROBE_LOSS = 0.1;
/** Of what came through until a probe was ended early. */
const ABORTED_SHARE = 0.9;
/** Queue that ends a probe before the estimator would speak of overuse. */
const MAX_PROBE_QUEUE_MS = 40;
/** The wait after failed probes grows: each of them costs the others on the path something. */
const BACKOFF = 1.5;
const MAX_HOLD_MS = 10_000;
/** Changes of the rate for pictures that are not worth telling. */
const MIN_BITRATE_STEP = 0.05;

/**
 * Follows the uplink of one publish connection: estimates it from the session's feedback, says which layers it can
 * carry, and probes with padding whether a paused one fits again.
 */
export class Uplink extends EventEmitter<UplinkEvents> {
  readonly #session: RtpSession;
  readonly #clock: Clock;
  readonly #estimator: BandwidthEstimator;
  readonly #layers: UplinkLayers;
  #cancelTimer: (() => void) | undefined;
  #probe: Probe | undefined;
  #probeDecreases = 0;
  #holdMs = RESUME_HOLD_MS;
  #notBeforeMs: number;
  /** Whether anything tells about single packets, or of the whole: reports decide only where nothing else does. */
  #hasFeedback = false;
  #hasRemb = false;
  /** The last that was told of what is there for pictures. */
  #toldBitrate: number | undefined;
  readonly #adaptive: boolean;
  #closed = false;

  constructor(session: RtpSession, options: UplinkLayersOptions & { readonly clock?: Clock }) {
    super();
    this.#session = session;
    this.#clock = options.clock ?? systemClock;
    this.#layers = new UplinkLayers(options);
    this.#adaptive = options.floors?.some((floor, i) => floor < options.bitrates[i]!) ?? false;
    const all = this.#layers.cost(options.bitrates.map((_, layer) => layer));
    this.#estimator = new BandwidthEstimator(all * PROBE_MARGIN);
    this.#notBeforeMs = this.#clock.now();
    session.on('transport-feedback', (report) => {
      this.#hasFeedback = true;
      this.#estimator.onFeedback(report);
      this.#decide();
    });
    session.on('remb', (bitrate) => {
      this.#hasRemb = true;
      if (this.#hasFeedback) return;
      this.#estimator.set(bitrate);
      this.#decide();
    });
    session.on('reports', (fractionLost) => this.#onReports(fractionLost));
  }

  /** Bits a second. */
  get estimate(): number {
    return Math.round(this.#estimator.estimate);
  }

  get active(): readonly number[] {
    return this.#layers.active;
  }

  get probing(): boolean {
    return this.#probe !== undefined;
  }

  /** The layers that somebody watches; the others are not sent. */
  setWanted(layers: Iterable<number>): void {
    const before = this.#layers.active.join();
    this.#layers.setWanted(layers);
    if (this.#layers.active.join() !== before) this.#changed();
    this.#decide();
    this.#watch();
  }

  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
    this.removeAllListeners();
  }

  /** Receiver reports decide where there is neither transport-wide feedback nor REMB. */
  #onReports(fractionLost: number): void {
    if (this.#hasFeedback || this.#hasRemb) return;
    const { active, paused } = this.#layers;
    if (fractionLost > OVERLOAD_LOSS) {
      this.#estimator.set(this.#layers.cost(active) * (1 - fractionLost));
    } else if (
      fractionLost < MAX_PROBE_LOSS / 2 &&
      paused.length > 0 &&
      this.#clock.now() >= this.#notBeforeMs
    ) {
      // Nothing measures the path: the layer itself is the probe.
      this.#estimator.set(this.#layers.cost([...active, ...paused.slice(0, 1)]));
    }
    this.#decide();
  }

  #decide(): void {
    if (this.#closed) return;
    const { estimate, lossFraction, queueMs } = this.#estimator;
    const before = this.#layers.active.length;
    const changed = this.#layers.update({ estimate, lossFraction, queueMs, nowMs: this.#clock.now() });
    this.#tellBitrate();
    if (!changed) return;
    // A layer that came back and had to go again soon is not tried as soon the next time.
    if (this.#layers.active.length < before) this.#backOff();
    this.#probe = undefined;
    this.#changed();
  }

  /** Less is sent of what is sent than there could be. */
  get #reduced(): boolean {
    return this.#adaptive && this.#estimator.estimate < this.#layers.cost(this.#layers.active);
  }

  #tellBitrate(): void {
    if (!this.#adaptive) return;
    const bitrate = Math.round(
      this.#layers.videoBudget(Math.min(this.#estimator.estimate, this.#layers.cost(this.#layers.active))),
    );
    const told = this.#toldBitrate;
    if (told !== undefined && Math.abs(bitrate - told) < told * MIN_BITRATE_STEP) return;
    this.#toldBitrate = bitrate;
    this.emit('bitrate', bitrate);
    this.#watch();
  }

  #changed(): void {
    this.#estimator.onRateChange();
    this.emit('layers', this.#layers.active);
    this.#watch();
  }

  #backOff(): void {
    const now = this.#clock.now();
    // Long after the last try the path may have become another.
    if (now - this.#notBeforeMs > 2 * MAX_HOLD_MS) this.#holdMs = RESUME_HOLD_MS;
    this.#notBeforeMs = now + this.#holdMs;
    this.#holdMs = Math.min(MAX_HOLD_MS, this.#holdMs * BACKOFF);
  }

  /** Looks at the clock only while a layer waits to come back: a process may have hundreds of publishers. */
  #watch(): void {
    if (this.#closed || this.#cancelTimer !== undefined) return;
    if (this.#layers.paused.length === 0 && !this.#reduced) return;
    this.#cancelTimer = this.#clock.setTimer(
      () => {
        this.#cancelTimer = undefined;
        this.#tick();
        this.#watch();
      },
      this.#probe ? PROBE_TICK_MS : TICK_MS,
    );
  }

  #tick(): void {
    if (this.#probe) this.#goOn(this.#probe);
    else this.#maybeProbe();
  }

  #maybeProbe(): void {
    const now = this.#clock.now();
    const { active, paused } = this.#layers;
    if (paused.length === 0 && !this.#reduced) return;
    if (now < this.#notBeforeMs || !this.#hasFeedback) return;
    const target = this.#layers.cost([...active, ...paused]) * PROBE_MARGIN;
    this.#probeDecreases = this.#estimator.decreases;
    // The last fall has shown what the path carried then; the ramp begins below it.
    const known = Math.min(this.#estimator.estimate * ABORTED_SHARE, target);
    const sent = this.#layers.cost(active);
    this.#probe = new Probe({ sent, from: Math.max(sent, known), target, startMs: now });
  }

  #goOn(probe: Probe): void {
    const now = this.#clock.now();
    const { decreases, lossFraction, queueMs } = this.#estimator;
    if (decreases > this.#probeDecreases || lossFraction > MAX_PROBE_LOSS || queueMs > MAX_PROBE_QUEUE_MS) {
      this.#conclude((this.#estimator.capacity ?? 0) * ABORTED_SHARE);
      return;
    }
    for (let due = probe.due(now); due > 0; ) {
      const bytes = this.#session.sendPadding();
      if (bytes === 0) break;
      probe.sent(bytes);
      due -= bytes;
    }
    if (probe.isOver(now)) this.#conclude(this.#estimator.throughput ?? 0);
  }

  /** The path carries `bitrate`: gives back the layers that fit, and waits before it is asked for more. */
  #conclude(bitrate: number): void {
    this.#probe = undefined;
    this.#estimator.probed(bitrate);
    // What the probe lost is no loss of what is sent without it.
    this.#estimator.onRateChange();
    this.#decide();
    this.#backOff();
  }
}

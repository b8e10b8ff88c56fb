/** One receiver: watches its network, lets the policy decide and carries the decisions out on its consumers. */
import type { Consumer, TransportTraceEventData, WebRtcTransport } from 'mediasoup/types';
import type { SentVideo, StateUpdate, VideoRequest } from '../../../protocol/signaling.ts';
import { LayerSwitch } from './layer-switch.ts';
import { leastOf } from './policy.ts';
import { Proof } from './proof.ts';
import { ReturnProbe } from './return-probe.ts';
import { Selection } from './selection.ts';
import type { MeteredTrack, TrackMeter } from './track-meter.ts';
import type { VideoDecision, VideoInput } from './types.ts';

/**
 * Where the estimate of a receiver's bandwidth starts, bits a second: enough for the best layer of a 720p track,
 * so that the first picture is not the smallest one. Congestion control corrects it from there.
 */
export const INITIAL_BITRATE = 3_000_000;
/**
 * The estimate grows to this at least. It must differ from {@link INITIAL_BITRATE}: the worker ignores estimates that
 * are exactly what it started with, so a receiver at that limit would keep the estimate of before.
 */
const LEAST_CEILING = 3_400_000;
const HIGHEST_CEILING = 20_000_000;
/** Room above what all videos together need, for probing and retransmissions. */
const CEILING_FACTOR = 1.35;
/**
 * The worker's loss is a mean over its last 24 feedback packets, 2.4 s of ours: when video begins anew it still tells of
 * what was before.
 */
const FEEDBACK_MEMORY_MS = 2_500;
/** Receiver reports come about once a second. */
const REPORTS_EVERY_MS = 1_000;
/** A change of the estimate is told when it is this large. */
const TELL_ESTIMATE_CHANGE = 0.1;

/** A track that is sent to the receiver or offered to it. */
export interface SentTrack {
  readonly track: MeteredTrack;
  readonly consumer: Consumer;
}

/** What the receiver is sent over, while there is something. */
export interface ReceiverConnection {
  readonly transport: WebRtcTransport;
  readonly carried: readonly SentTrack[];
  /** Pauses or resumes the track as {@link ReceiverQuality.holds} says. */
  settle(track: MeteredTrack): void;
}

export type ReceiverUpdate = Pick<StateUpdate, 'videos' | 'estimate' | 'audioOnly'>;

export interface ReceiverQualityOptions {
  readonly peerId: string;
  readonly meterOf: (track: MeteredTrack) => TrackMeter;
  readonly speakers: () => readonly string[];
  /** The sender of the track should learn that a layer is wanted. */
  readonly onWanted: (meter: TrackMeter) => void;
  readonly onUpdate: (update: ReceiverUpdate) => void;
  readonly now?: () => number;
}

export class ReceiverQuality {
  readonly #options: ReceiverQualityOptions;
  readonly #now: () => number;
  #selection = new Selection();
  #connection: ReceiverConnection | undefined;
  #requests = new Map<string, VideoRequest>();
  #returning = new ReturnProbe();
  readonly #proof = new Proof();
  /** Of the transport-wide feedback, which covers video alone. */
  #estimate = INITIAL_BITRATE;
  #measured = INITIAL_BITRATE;
  #loss = 0;
  #lossReadAtMs = -Infinity;
  #lossByFeedback = false;
  #lossAnew = false;
  #videoSinceMs = 0;
  #flowedAtMs = -Infinity;
  #ceilings = '';
  #ceiling = 0;
  #videos: VideoInput[] = [];
  #decisions = new Map<string, VideoDecision>();
  readonly #switches = new WeakMap<Consumer, LayerSwitch>();
  readonly #wanted = new Set<TrackMeter>();
  readonly #told = new Map<string, SentVideo>();
  #toldEstimate: number | undefined;
  #audioOnly = false;

  constructor(options: ReceiverQualityOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get connection(): ReceiverConnection | undefined {
    return this.#connection;
  }

  /** Share of packets that the receiver loses, 0 to 1. */
  get loss(): number {
    return this.#loss;
  }

  /** All that was told of late, for a client that connects anew. */
  get told(): ReceiverUpdate {
    return {
      ...(this.#told.size > 0 ? { videos: [...this.#told.values()] } : {}),
      ...(this.#toldEstimate === undefined ? {} : { estimate: this.#toldEstimate }),
      ...(this.#audioOnly ? { audioOnly: true } : {}),
    };
  }

  /** What the receiver shows; `undefined` when it does not say. */
  request(videos: readonly VideoRequest[] | undefined): void {
    this.#requests = new Map(videos?.map((video) => [requestKey(video.participantId, video.source), video]));
  }

  /** Whether the track is to stay paused for this receiver. */
  holds(track: MeteredTrack): boolean {
    return this.#decisions.get(track.id)?.layer === -1;
  }

  attach(connection: ReceiverConnection): void {
    this.detach();
    this.#connection = connection;
    const { transport } = connection;
    // Falls are told at once, other changes once a second; stats are read in between.
    transport.enableTraceEvent(['bwe']).catch(() => {});
    transport.on('trace', (trace) => {
      const estimate = estimateIn(trace);
      if (estimate === undefined || this.#connection !== connection) return;
      this.#estimate = estimate;
      this.decide();
    });
  }

  /** The connection is gone; what comes next may have another network. */
  detach(): void {
    if (this.#connection === undefined) return;
    this.#connection = undefined;
    this.#selection = new Selection();
    this.#returning = new ReturnProbe();
    this.#proof.stop();
    this.#estimate = INITIAL_BITRATE;
    this.#loss = 0;
    this.#ceilings = '';
    this.#ceiling = 0;
    this.#decisions = new Map();
    this.#release(new Set());
    const videos = [...this.#told.keys()].map(notVisible);
    this.#told.clear();
    this.#tell(videos, false);
  }

  /** Reads the connection's statistics and decides. */
  async poll(): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined || connection.transport.dtlsState !== 'connected') return;
    const [stats] = await connection.transport.getStats();
    if (stats === undefined || this.#connection !== connection) return;
    if (stats.availableOutgoingBitrate !== undefined && stats.availableOutgoingBitrate > 0) {
      this.#estimate = stats.availableOutgoingBitrate;
    }
    const nowMs = this.#now();
    const byFeedback =
      stats.rtpPacketLossSent !== undefined && nowMs - this.#videoSinceMs >= FEEDBACK_MEMORY_MS;
    if (byFeedback !== this.#lossByFeedback) this.#lossAnew = true;
    this.#lossByFeedback = byFeedback;
    if (byFeedback) {
      this.#loss = stats.rtpPacketLossSent ?? 0;
    } else if (nowMs - this.#lossReadAtMs >= REPORTS_EVERY_MS) {
      this.#lossReadAtMs = nowMs;
      this.#loss = await reportedLoss(connection.carried);
    }
    if (this.#connection === connection) this.decide();
  }

  /** Decides with what is known of the network, and carries it out. */
  decide(): void {
    const connection = this.#connection;
    if (connection === undefined) return;
    const nowMs = this.#now();
    const carried = connection.carried.filter(({ consumer }) => !consumer.closed);
    const meters = new Map(carried.map(({ track }) => [track.id, this.#options.meterOf(track)]));
    const audioBitrate = carried.reduce(
      (sum, { track, consumer }) =>
        track.kind === 'audio' && !consumer.paused ? sum + (meters.get(track.id)?.bitrate ?? 0) : sum,
      0,
    );
    const sent = carried.filter(({ track, consumer }) => track.kind === 'video' && !consumer.producerPaused);
    this.#videos = sent.map(({ track }) => this.#input(track, meters.get(track.id)!, nowMs));
    // Audio packets carry no transport-wide numbers, so what they take is not in the worker's estimate.
    this.#measured = this.#estimate + audioBitrate;
    const decision = this.#selection.update({
      nowMs,
      ...this.#returning.judge(nowMs, this.#measured, audioBitrate + leastOf(this.#videos)),
      loss: this.#loss,
      lossAnew: this.#lossAnew,
      audioBitrate,
      videos: this.#videos,
    });
    this.#lossAnew = false;
    this.#decisions = new Map(decision.videos.map((video) => [video.trackId, video]));
    if (decision.starved) this.#returning.begin(nowMs);
    else this.#returning.end();
    // Until pictures have been sent for a while, the feedback says nothing of the present.
    if (sent.some(({ consumer }) => flows(consumer))) this.#flowedAtMs = nowMs;
    else if (nowMs - this.#flowedAtMs >= REPORTS_EVERY_MS) this.#videoSinceMs = nowMs;
    for (const [index, { track, consumer }] of sent.entries()) {
      const layerSwitch =
        this.#switches.get(consumer) ?? new LayerSwitch(consumer, () => connection.settle(track));
      this.#switches.set(consumer, layerSwitch);
      layerSwitch.apply(this.#decisions.get(track.id)!, this.#videos[index]!.layers);
    }
    this.#limit(connection, audioBitrate, decision.prove);
    this.#want(sent.map(({ track }) => meters.get(track.id)!));
    this.#report(carried, decision.audioOnly);
  }

  #input({ id, peerId, source }: MeteredTrack, meter: TrackMeter, nowMs: number): VideoInput {
    const request = this.#requests.get(requestKey(peerId, source));
    const rank = this.#options.speakers().indexOf(peerId);
    return {
      trackId: id,
      source,
      layers: meter.layers(nowMs),
      maxHeight: request?.maxHeight,
      pinned: request?.pinned === true,
      speakerRank: rank < 0 ? undefined : rank,
    };
  }

  /** Probing goes no further than what could be used. */
  #limit({ transport }: ReceiverConnection, audioBitrate: number, prove: number | undefined): void {
    const useful = this.#videos.reduce(
      (sum, { layers }) => sum + Math.max(...layers.map(({ bitrates }) => bitrates.at(-1) ?? 0)),
      audioBitrate,
    );
    const own = Math.round(Math.min(HIGHEST_CEILING, Math.max(LEAST_CEILING, useful * CEILING_FACTOR)));
    const steady = Math.abs(own - this.#ceiling) <= this.#ceiling * 0.1 ? this.#ceiling : own;
    if (prove !== undefined && !this.#proof.running && steady > prove) {
      // What was set for it is to be set anew afterwards.
      this.#ceilings = '';
      this.#proof.start(
        transport,
        prove - audioBitrate,
        () => this.#estimate,
        () => this.decide(),
      );
    }
    if (this.#proof.running) return;
    const ceilings = this.#returning.ceilings ?? [steady];
    if (ceilings.join() === this.#ceilings) return;
    this.#ceilings = ceilings.join();
    this.#ceiling = ceilings.at(-1)!;
    for (const ceiling of ceilings) transport.setMaxOutgoingBitrate(ceiling).catch(() => {});
  }

  #want(meters: readonly TrackMeter[]): void {
    for (const meter of meters) {
      const wanted = this.#decisions.get(meter.track.id)!.wanted;
      this.#wanted.add(meter);
      if (meter.want(this.#options.peerId, wanted, this.#now())) this.#options.onWanted(meter);
    }
    this.#release(new Set(meters));
  }

  #release(kept: ReadonlySet<TrackMeter>): void {
    for (const meter of this.#wanted) {
      if (kept.has(meter)) continue;
      this.#wanted.delete(meter);
      meter.want(this.#options.peerId, undefined, this.#now());
    }
  }

  #report(carried: readonly SentTrack[], audioOnly: boolean): void {
    const now = new Map<string, SentVideo>();
    for (const { track, consumer } of carried) {
      const decision = this.#decisions.get(track.id);
      if (decision === undefined) continue;
      const current = sentNow(decision, consumer);
      if (current !== undefined) now.set(track.id, current);
      else if (this.#told.has(track.id)) now.set(track.id, this.#told.get(track.id)!);
    }
    const changed = [...now.values()].filter((video) => {
      const before = this.#told.get(video.trackId);
      return (
        before?.layer !== video.layer ||
        before.temporalLayer !== video.temporalLayer ||
        before.reason !== video.reason
      );
    });
    const gone = [...this.#told.keys()].filter((id) => !now.has(id));
    for (const id of gone) this.#told.delete(id);
    for (const video of changed) this.#told.set(video.trackId, video);
    this.#tell([...changed, ...gone.map(notVisible)], audioOnly);
  }

  #tell(videos: SentVideo[], audioOnly: boolean): void {
    const estimate = Math.round(this.#measured);
    const before = this.#toldEstimate ?? 0;
    const estimateChanged =
      this.#told.size > 0 && Math.abs(estimate - before) > before * TELL_ESTIMATE_CHANGE;
    const audioOnlyChanged = audioOnly !== this.#audioOnly;
    this.#audioOnly = audioOnly;
    if (videos.length === 0 && !estimateChanged && !audioOnlyChanged) return;
    this.#toldEstimate = estimate;
    this.#options.onUpdate({
      estimate,
      ...(videos.length > 0 ? { videos } : {}),
      ...(audioOnlyChanged ? { audioOnly } : {}),
    });
  }
}

const requestKey = (participantId: string, source: string): string => `${source} ${participantId}`;

const notVisible = (trackId: string): SentVideo => ({
  trackId,
  layer: -1,
  temporalLayer: -1,
  reason: 'not-visible',
});

/** What the receiver is sent at the moment; `undefined` while the first picture is on its way. */
function sentNow(decision: VideoDecision, consumer: Consumer): SentVideo | undefined {
  const { trackId, layer, temporalLayer, reason } = decision;
  if (layer < 0) return { trackId, layer: -1, temporalLayer: -1, reason };
  if (consumer.paused) return undefined;
  if (consumer.type === 'simple') return { trackId, layer, temporalLayer, reason };
  const current = consumer.currentLayers;
  if (current === undefined || current === null) return undefined;
  return { trackId, layer: current.spatialLayer, temporalLayer: current.temporalLayer ?? 0, reason };
}

function flows({ paused, type, currentLayers }: Consumer): boolean {
  return !paused && (type === 'simple' || Boolean(currentLayers));
}

function estimateIn({ type, info }: TransportTraceEventData): number | undefined {
  const { availableBitrate } = info as { availableBitrate?: unknown };
  return type === 'bwe' && typeof availableBitrate === 'number' && availableBitrate > 0
    ? availableBitrate
    : undefined;
}

/** For receivers that give no transport-wide feedback: the worst of what their receiver reports say. */
async function reportedLoss(carried: readonly SentTrack[]): Promise<number> {
  const flowing = carried.filter(({ consumer }) => !consumer.closed && !consumer.paused);
  const stats = await Promise.all(flowing.slice(0, 4).map(({ consumer }) => consumer.getStats()));
  const fractions = stats.flat().flatMap((each) => (each.type === 'outbound-rtp' ? [each.fractionLost] : []));
  // RFC 3550 section 6.4.1: a fixed point number with the binary point at the left edge of eight bits.
  return Math.max(0, ...fractions) / 256;
}

/** A room's receivers and tracks: one timer for all of them. */
import type { StateUpdate } from '../../../protocol/signaling.ts';
import type { SfuLogger } from '../types.ts';
import { audioProtection } from './policy.ts';
import { ReceiverQuality, type ReceiverUpdate } from './receiver-quality.ts';
import { type MeteredTrack, TrackMeter } from './track-meter.ts';

/** Ten decisions a second leave time for a keyframe within the second in which a switch down has to happen. */
const TICK_MS = 100;
/**
 * Most receivers whose statistics are read in one tick; it takes about 40 µs each here and in the worker. In larger
 * meetings it is done in turns, and falls are told by the worker in between.
 */
const POLLS_A_TICK = 30;
/** Bitrates are means over 2.5 s in the worker, so reading them more often tells nothing new. */
const METER_EVERY_TICKS = 10;

export type PersonalUpdate = Pick<
  StateUpdate,
  'videos' | 'estimate' | 'audioOnly' | 'wantedLayers' | 'audioLoss'
>;

export interface RoomQualityOptions {
  readonly logger: SfuLogger;
  /** Something that one participant only is told. */
  readonly onUpdate: (peerId: string, update: PersonalUpdate) => void;
}

export class RoomQuality {
  readonly #options: RoomQualityOptions;
  readonly #receivers = new Map<string, ReceiverQuality>();
  readonly #meters = new Map<string, TrackMeter>();
  readonly #audioLoss = new Map<string, number>();
  #speakers: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;
  #next = 0;

  constructor(options: RoomQualityOptions) {
    this.#options = options;
  }

  /** Who speaks, the active speaker first: their videos come before the others'. */
  setSpeakers(peerIds: readonly string[]): void {
    this.#speakers = peerIds;
  }

  addReceiver(peerId: string): ReceiverQuality {
    const receiver = new ReceiverQuality({
      peerId,
      meterOf: (track) => this.#meterOf(track),
      speakers: () => this.#speakers,
      onWanted: (meter) => this.#tellWanted([meter]),
      onUpdate: (update: ReceiverUpdate) => this.#options.onUpdate(peerId, update),
    });
    this.#receivers.set(peerId, receiver);
    this.#timer ??= setInterval(() => this.#tick(), TICK_MS);
    return receiver;
  }

  removeReceiver(peerId: string): void {
    this.#receivers.get(peerId)?.detach();
    this.#receivers.delete(peerId);
    this.#audioLoss.delete(peerId);
    if (this.#receivers.size === 0) this.close();
  }

  /** The tracks of the room changed. */
  update(tracks: readonly MeteredTrack[]): void {
    for (const track of tracks) if (track.kind === 'video' && !track.producer.closed) this.#meterOf(track);
  }

  /** What the participant was told of late, for a client that connects anew. */
  told(peerId: string): PersonalUpdate {
    const wantedLayers = [...this.#meters.values()].flatMap(({ track, told }) =>
      track.peerId === peerId && told !== undefined ? [{ trackId: track.id, layers: told }] : [],
    );
    const audioLoss = this.#audioLoss.get(peerId);
    return {
      ...this.#receivers.get(peerId)?.told,
      ...(wantedLayers.length > 0 ? { wantedLayers } : {}),
      ...(audioLoss === undefined || audioLoss === 0 ? {} : { audioLoss }),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #meterOf(track: MeteredTrack): TrackMeter {
    let meter = this.#meters.get(track.id);
    if (meter?.track.producer !== track.producer) {
      meter = new TrackMeter(track, performance.now());
      this.#meters.set(track.id, meter);
      track.producer.observer.once('close', () => {
        if (this.#meters.get(track.id) === meter) this.#meters.delete(track.id);
      });
    }
    return meter;
  }

  #tick(): void {
    this.#ticks++;
    const receivers = [...this.#receivers.values()].filter(({ connection }) => connection !== undefined);
    const count = Math.min(POLLS_A_TICK, receivers.length);
    for (let i = 0; i < count; i++) {
      this.#next = (this.#next + 1) % receivers.length;
      this.#run(receivers[this.#next]!.poll());
    }
    if (this.#ticks % METER_EVERY_TICKS !== 0) return;
    for (const meter of this.#meters.values()) {
      if (meter.wanted || meter.track.kind === 'audio') this.#run(this.#measure(meter));
    }
    this.#tellWanted(this.#meters.values());
    this.#protectAudio();
  }

  async #measure(meter: TrackMeter): Promise<void> {
    const { producer } = meter.track;
    if (!producer.closed) meter.measure(await producer.getStats());
  }

  #tellWanted(meters: Iterable<TrackMeter>): void {
    const nowMs = performance.now();
    const byPeer = new Map<string, NonNullable<PersonalUpdate['wantedLayers']>>();
    for (const meter of meters) {
      if (meter.track.kind !== 'video') continue;
      const layers = meter.takeWanted(nowMs);
      if (layers === undefined) continue;
      const { id, peerId } = meter.track;
      byPeer.set(peerId, [...(byPeer.get(peerId) ?? []), { trackId: id, layers }]);
    }
    for (const [peerId, wantedLayers] of byPeer) this.#options.onUpdate(peerId, { wantedLayers });
  }

  /** Every sender's Opus protects against what its worst receiver loses. */
  #protectAudio(): void {
    const losses = [...this.#receivers].map(([peerId, { loss }]) => ({ peerId, loss }));
    losses.sort((a, b) => b.loss - a.loss);
    for (const peerId of this.#receivers.keys()) {
      const worst = losses.find((each) => each.peerId !== peerId)?.loss ?? 0;
      const before = this.#audioLoss.get(peerId) ?? 0;
      const audioLoss = audioProtection(worst, before);
      if (audioLoss === before) continue;
      this.#audioLoss.set(peerId, audioLoss);
      this.#options.onUpdate(peerId, { audioLoss });
    }
  }

  /** A worker or connection that ends while it is asked is no fault. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => this.#options.logger.debug({ err: error }, 'no statistics'));
  }
}

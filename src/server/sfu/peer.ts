/** A participant on the SFU: a connection to send on and one to receive on. */
import { EventEmitter } from 'node:events';
import { MeetError } from '../../protocol/errors.ts';
import type { MediaSource, TrackInfo } from '../../protocol/model.ts';
import { PublishConnection } from './publish-connection.ts';
import type { PersonalUpdate } from './quality/room-quality.ts';
import { type PeerHost, type Route, type Track, trackInfo } from './route.ts';
import { checkCandidate } from './sdp/candidate.ts';
import { parseDescription } from './sdp/description.ts';
import { connectionStats } from './stats.ts';
import { Subscriber } from './subscriber.ts';
import type {
  Peer,
  PeerEvents,
  PeerStats,
  PublishReply,
  PublishRequest,
  PublishRule,
  SubscribeOffer,
  Subscription,
  TrickledCandidate,
} from './types.ts';

export class SfuPeer extends EventEmitter<PeerEvents> implements Peer {
  readonly id: string;
  readonly #host: PeerHost;
  readonly #rule: PublishRule;
  readonly #subscriber: Subscriber;
  #publish: PublishConnection | undefined;
  #publishing = false;
  /** The tracks that were last told of, as JSON. */
  #told = '[]';
  readonly #createdAtMs = performance.now();
  #wasConnected = false;
  #closed = false;

  constructor(id: string, host: PeerHost, rule: PublishRule) {
    super();
    this.id = id;
    this.#host = host;
    this.#rule = rule;
    this.#subscriber = new Subscriber({
      peerId: id,
      host,
      quality: host.quality.addReceiver(id),
      onOffer: (offer) => this.emit('offer', offer),
      onConnected: () => this.#connected(),
    });
  }

  get tracks(): TrackInfo[] {
    return this.published.map(trackInfo);
  }

  /** The same, for the room. */
  get published(): Track[] {
    return this.#publish?.tracks ?? [];
  }

  get streamCounts(): { producers: number; consumers: number } {
    return { producers: this.published.length, consumers: this.#subscriber.carriedCount };
  }

  get openOffer(): SubscribeOffer | undefined {
    return this.#subscriber.openOffer;
  }

  get personal(): PersonalUpdate {
    return this.#host.quality.told(this.id);
  }

  async publish({ sdp, tracks = [], reset = false }: PublishRequest): Promise<PublishReply> {
    if (this.#publishing) {
      throw new MeetError('offer-pending', 'An offer came before the previous one was answered.');
    }
    this.#publishing = true;
    let route: Route | undefined;
    try {
      const offer = parseDescription(sdp);
      this.#checkOpen();
      route = await this.#host.route();
      const current = this.#publish;
      if (current !== undefined && !reset && current.continues(offer)) {
        return await current.renegotiate(offer, tracks);
      }
      const { connection, reply } = await PublishConnection.open(offer, tracks, {
        route,
        peerId: this.id,
        onConnected: () => this.#connected(),
        rule: this.#rule,
        onLost: () => {
          if (this.#publish === connection) this.#endPublishing();
        },
      });
      if (this.#closed || !route.alive) {
        connection.close();
        this.#checkOpen();
        throw new MeetError('worker-died', 'The SFU worker died during the negotiation.');
      }
      this.#publish?.close();
      this.#publish = connection;
      return reply;
    } catch (error) {
      if (error instanceof MeetError) throw error;
      if (route?.alive === false) {
        throw new MeetError('worker-died', 'The SFU worker died during the negotiation.', { cause: error });
      }
      throw MeetError.from(error);
    } finally {
      this.#publishing = false;
      this.#tracksChanged();
    }
  }

  async setMuted(trackId: string, muted: boolean): Promise<void> {
    const track = this.published.find(({ id }) => id === trackId);
    if (track === undefined || track.producer.closed) {
      throw new MeetError('track-not-found', 'There is no such track.');
    }
    if (track.producer.paused === muted) return;
    await this.#guard(() => (muted ? track.producer.pause() : track.producer.resume()));
    // Receivers keep their lines; only what others are told about the track changes.
    if (this.#closed) return;
    this.#told = JSON.stringify(this.tracks);
    this.emit('tracks', this.tracks);
  }

  endTracks(sources: ReadonlySet<MediaSource>): void {
    this.#publish?.end(sources);
    this.#tracksChanged();
  }

  async setSubscription(subscription: Subscription): Promise<void> {
    this.#checkOpen();
    await this.#subscriber.subscribe(subscription);
  }

  answer(sdp: string): Promise<void> {
    return this.#subscriber.answer(sdp);
  }

  async restartIce(): Promise<void> {
    this.#checkOpen();
    await this.#subscriber.restartIce();
  }

  addIceCandidate({ candidate }: TrickledCandidate): void {
    checkCandidate(candidate);
  }

  async stats(): Promise<PeerStats> {
    const connection = this.#publish;
    const [publish, subscribe] = await Promise.all([
      connection &&
        connectionStats(
          connection.transport,
          connection.tracks.map(({ id, producer }) => ({ trackId: id, stream: producer })),
        ),
      this.#subscriber.stats(),
    ]);
    return {
      ...(publish === undefined ? {} : { publish }),
      ...(subscribe === undefined ? {} : { subscribe }),
    };
  }

  tracksOfOthersChanged(): void {
    this.#subscriber.tracksChanged();
  }

  /** The audio slot has another occupant, who is or was this peer. */
  audioSlotChanged(slot: Track): void {
    this.#subscriber.slotChanged(slot);
  }

  /** The worker died: nothing of both connections is left. */
  reset(): void {
    this.#subscriber.reset();
    const had = this.published.length > 0;
    this.#publish?.close();
    this.#publish = undefined;
    this.#told = '[]';
    if (had) this.emit('tracks', []);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#subscriber.close();
    this.#publish?.close();
    this.#publish = undefined;
    this.#host.quality.removeReceiver(this.id);
    this.#host.peerClosed(this.id);
  }

  #connected(): void {
    if (this.#wasConnected) return;
    this.#wasConnected = true;
    this.#host.mediaConnected(performance.now() - this.#createdAtMs);
  }

  #endPublishing(): void {
    this.#publish?.close();
    this.#publish = undefined;
    this.#tracksChanged();
  }

  /** Tells the owner and the others; a negotiation that failed may have ended tracks too. */
  #tracksChanged(): void {
    const state = JSON.stringify(this.tracks);
    if (this.#closed || state === this.#told) return;
    this.#told = state;
    this.emit('tracks', this.tracks);
    this.#host.tracksChanged(this.id);
  }

  #checkOpen(): void {
    if (this.#closed) throw new MeetError('not-found', 'The participant has left.');
  }

  async #guard(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      throw new MeetError('worker-died', 'The SFU worker died meanwhile.', { cause: error });
    }
  }
}

/** Keeps what a participant receives in step with what it wants, one offer at a time. */
import { MeetError } from '../../protocol/errors.ts';
import type { VideoRequest } from '../../protocol/signaling.ts';
import { MAX_PAGE_VIDEOS } from './quality/policy.ts';
import type { ReceiverQuality } from './quality/receiver-quality.ts';
import { ReceiverCapabilities } from './receiver.ts';
import type { PeerHost, Route, Track } from './route.ts';
import { rtpParametersOf } from './rtp-parameters.ts';
import { parseDescription } from './sdp/description.ts';
import { connectionStats } from './stats.ts';
import { SubscribeConnection } from './subscribe-connection.ts';
import type { ConnectionStats, SubscribeOffer, Subscription } from './types.ts';

export interface SubscriberOptions {
  readonly peerId: string;
  readonly host: PeerHost;
  readonly quality: ReceiverQuality;
  readonly onOffer: (offer: SubscribeOffer) => void;
  readonly onConnected: () => void;
}

export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #receiver = new ReceiverCapabilities();
  /** Declined by the receiver; offered again after the next {@link subscribe}. */
  readonly #declined = new Set<Track>();
  #wanted: Omit<Subscription, 'reset'> | undefined;
  #connection: SubscribeConnection | undefined;
  #hadConnection = false;
  #open: SubscribeOffer | undefined;
  #answering = false;
  #running: Promise<void> | undefined;
  #dirty = false;
  #restart = false;
  /** Grows when everything is dropped, so that what is under way notices. */
  #generation = 0;
  #closed = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  /** The offer that waits for its answer. */
  get openOffer(): SubscribeOffer | undefined {
    return this.#open;
  }

  /** Number of tracks that are being sent or offered. */
  get carriedCount(): number {
    return this.#connection?.carried.length ?? 0;
  }

  async subscribe({ reset, ...wanted }: Subscription): Promise<void> {
    if (reset === true) this.#drop();
    this.#wanted = { ...wanted, ...(wanted.videos === undefined ? {} : { videos: page(wanted.videos) }) };
    this.#options.quality.request(this.#wanted.videos);
    this.#declined.clear();
    // Tiles of another size need no offer.
    this.#options.quality.decide();
    await this.#negotiate();
  }

  /** The others' tracks changed. */
  tracksChanged(): void {
    if (this.#wanted === undefined) return;
    const generation = this.#generation;
    this.#negotiate().catch((error: unknown) => {
      // After a reset the client subscribes anew, so nothing is lost.
      if (generation !== this.#generation) return;
      this.#options.host.logger.warn(
        { peer: this.#options.peerId, err: error },
        'tracks could not be offered',
      );
    });
  }

  /** The audio slot has another occupant, who is or was this receiver. */
  slotChanged(slot: Track): void {
    this.#connection?.settle(slot);
  }

  async restartIce(): Promise<void> {
    this.#restart = true;
    await this.#negotiate();
  }

  /** @throws MeetError `unexpected-answer`, `bad-sdp` (the offer stays open then), `worker-died` */
  async answer(sdp: string): Promise<void> {
    const connection = this.#connection;
    if (this.#open === undefined || connection === undefined || this.#answering) {
      throw new MeetError('unexpected-answer', 'No offer is open on the subscribe connection.');
    }
    const generation = this.#generation;
    const description = parseDescription(sdp, Math.max(connection.lines, 1));
    this.#answering = true;
    try {
      const { refused, again } = await connection.applyAnswer(description, this.#receiver);
      if (generation !== this.#generation) return;
      this.#open = undefined;
      for (const track of refused) this.#declined.add(track);
      if (again) this.#dirty = true;
    } catch (error) {
      throw generation === this.#generation ? MeetError.from(error) : gone(error);
    } finally {
      if (generation === this.#generation) this.#answering = false;
    }
    if (this.#dirty || this.#restart) this.tracksChanged();
  }

  async stats(): Promise<ConnectionStats | undefined> {
    if (this.#connection === undefined) return undefined;
    const streams = this.#connection.carried.map(({ track, consumer }) => ({
      trackId: track.id,
      stream: consumer,
    }));
    return connectionStats(this.#connection.transport, streams);
  }

  /** The worker died: the client has to subscribe anew. */
  reset(): void {
    this.#drop();
    this.#wanted = undefined;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.reset();
  }

  #drop(): void {
    this.#generation++;
    this.#options.quality.detach();
    this.#connection?.close();
    this.#connection = undefined;
    this.#open = undefined;
    this.#answering = false;
    this.#dirty = false;
    this.#restart = false;
    this.#receiver.forget();
    this.#declined.clear();
  }

  async #negotiate(): Promise<void> {
    this.#dirty = true;
    // What comes while one round is under way goes into the next.
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    if (!this.#dirty || this.#open !== undefined || this.#closed) return;
    this.#dirty = false;
    this.#running = this.#round();
    try {
      await this.#running;
    } finally {
      this.#running = undefined;
    }
  }

  async #round(): Promise<void> {
    const generation = this.#generation;
    try {
      const route = await this.#options.host.route();
      if (generation === this.#generation) await this.#offerChanges(route, generation);
    } catch (error) {
      throw generation === this.#generation ? MeetError.from(error) : gone(error);
    }
  }

  async #offerChanges(route: Route, generation: number): Promise<void> {
    const { audio, video, videos, allAudio = false } = this.#wanted ?? { audio: false, video: false };
    const wanted = this.#options.host
      .tracksOfOthers(this.#options.peerId, allAudio)
      .filter((track) => (track.kind === 'audio' ? audio : asks(track, video, videos)))
      .filter((track) => !track.producer.closed && !this.#declined.has(track))
      .filter((track) => this.#receiver.accepts(rtpParametersOf(track.producer)));
    const fresh = this.#connection === undefined || this.#connection.closed;
    if (fresh && wanted.length === 0) return;
    const connection = fresh ? await this.#connect(route, generation) : this.#connection;
    if (connection === undefined) return;
    let changed = connection.retain(new Set(wanted));
    const carried = new Set(connection.carried.map(({ track }) => track));
    const added = wanted.filter((track) => !carried.has(track));
    if (added.length > 0) {
      await connection.add(added, this.#receiver.limit(route.capabilities));
      changed = true;
    }
    this.#options.quality.decide();
    if (this.#restart && !fresh) {
      this.#restart = false;
      await connection.restartIce();
      changed = true;
    }
    this.#restart = false;
    if (!changed || generation !== this.#generation || connection.lines === 0) return;
    const reset = fresh && this.#hadConnection;
    this.#hadConnection = true;
    this.#open = { ...connection.writeOffer(), reset };
    this.#options.onOffer(this.#open);
  }

  async #connect(route: Route, generation: number): Promise<SubscribeConnection | undefined> {
    const connection = await SubscribeConnection.open(
      route,
      {
        onConnected: this.#options.onConnected,
        onLost: () => {
          if (this.#connection === connection) this.#drop();
        },
      },
      // Nobody is to hear himself.
      (track) => track.slot?.occupant?.peerId === this.#options.peerId || this.#options.quality.holds(track),
    );
    if (generation !== this.#generation) {
      connection.close();
      return undefined;
    }
    this.#connection = connection;
    this.#options.quality.attach(connection);
    return connection;
  }
}

/** The requests that fit on a page; screens come in addition. */
function page(videos: readonly VideoRequest[]): VideoRequest[] {
  const cameras = videos.filter(({ source }) => source !== 'screen').slice(0, MAX_PAGE_VIDEOS);
  return videos.filter((video) => video.source === 'screen' || cameras.includes(video));
}

function asks({ peerId, source }: Track, all: boolean, videos: readonly VideoRequest[] | undefined): boolean {
  if (videos === undefined) return all;
  return videos.some((video) => video.participantId === peerId && video.source === source);
}

/** For what was under way when the connection was reset or the worker died. */
function gone(cause: unknown): MeetError {
  return cause instanceof MeetError
    ? cause
    : new MeetError('worker-died', 'The subscribe connection is gone; subscribe anew.', { cause });
}

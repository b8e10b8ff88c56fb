import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MeetError } from '../../protocol/errors.ts';
import type { AudioSlot, VideoRequest } from '../../protocol/signaling.ts';
import { backoffMs } from '../backoff.ts';
import type { Health } from '../health.ts';
import type { SignalingClient, SubscribeOffer } from '../signaling/client.ts';
import type { TransportOptions } from '../transport/types.ts';
import type { AnsweringConnection } from './answering-connection.ts';
import { FAREWELL_MS } from './publishing.ts';
import type { RemoteTrack } from './remote-track.ts';

interface SubscribingEvents {
  track: [track: RemoteTrack];
  'track-ended': [track: RemoteTrack];
  connected: [timings: { iceMs: number; dtlsMs: number }];
}

export interface SubscribingOptions<Connection extends AnsweringConnection> {
  readonly signaling: SignalingClient;
  readonly health: Health;
  readonly cname: string;
  readonly transport: () => TransportOptions;
  /** Makes a peer connection. */
  readonly create: (cname: string, options: TransportOptions) => Promise<Connection>;
  readonly audio: boolean;
  readonly video: boolean;
  /** Every audio track and never the audio slots of a large meeting. */
  readonly allAudio?: boolean;
}

/** Time to wait for the offer that an `ice-restart` asks for, and for the checks that follow it. */
const RESTART_PATIENCE_MS = 2_500;

/** Keeps one subscribe connection alive: asks, answers offers, restarts ICE, starts over when all is gone. */
export class Subscribing<Connection extends AnsweringConnection> extends EventEmitter<SubscribingEvents> {
  readonly #options: SubscribingOptions<Connection>;
  readonly #closing = new AbortController();
  #connection: Connection | undefined;
  /** Offers are answered in the order they came. */
  #offers: Promise<void> = Promise.resolve();
  #recovering = false;
  /** Exactly these videos; all where it is `undefined`. */
  #videos: readonly VideoRequest[] | undefined;
  #slots: readonly AudioSlot[] = [];

  constructor(options: SubscribingOptions<Connection>) {
    super();
    this.#options = options;
    options.signaling.on('offer', (offer, answer) => {
      this.#offers = this.#offers
        .then(() => this.#onOffer(offer, answer))
        .catch((error) => this.#onFailed(error));
    });
  }

  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Says what to receive; `reset` when the server's or our side of the connection is gone. */
  async subscribe(reset: boolean): Promise<void> {
    const { signaling, audio, video, allAudio = false } = this.#options;
    if (!audio && !video) return;
    if (reset) this.#drop();
    const videos = video && this.#videos !== undefined ? { videos: [...this.#videos] } : {};
    await signaling.request('subscribe', {
      audio,
      video,
      ...videos,
      ...(allAudio ? { allAudio } : {}),
      ...(reset ? { reset } : {}),
    });
  }

  /** Which videos the next `subscribe` asks for, `undefined` for all; gives whether they are others than before. */
  choose(videos: readonly VideoRequest[] | undefined): boolean {
    if (!this.#options.video || JSON.stringify(videos) === JSON.stringify(this.#videos)) return false;
    this.#videos = videos;
    return true;
  }

  /** Says who is heard in the audio slots, all of them. */
  setSlots(slots: readonly AudioSlot[]): void {
    this.#slots = slots;
    this.#connection?.setSlots(slots);
  }

  async #onOffer(offer: SubscribeOffer, answer: (sdp: string) => void): Promise<void> {
    if (this.#closing.signal.aborted) return;
    if (offer.reset) this.#drop();
    const connection = this.#connection ?? (await this.#create());
    const { sdp, start } = await connection.answer(offer.sdp, offer.tracks);
    answer(sdp);
    start();
  }

  async #create(): Promise<Connection> {
    const { health, cname } = this.#options;
    const connection = await this.#options.create(cname, this.#options.transport());
    if (this.#closing.signal.aborted) {
      connection.close();
      throw new MeetError('connection-failed', 'The meeting was left.');
    }
    this.#connection = connection;
    connection.setSlots(this.#slots);
    connection.on('track', (track) => this.emit('track', track));
    connection.on('track-ended', (track) => this.emit('track-ended', track));
    connection.on('connected', (timings) => {
      if (this.#connection === connection) health.mended('subscribe');
      this.emit('connected', timings);
    });
    connection.on('state', (state) => {
      if (this.#connection !== connection) return;
      if (state === 'connected') health.mended('subscribe');
      else if (state === 'disconnected') void this.#recover(connection);
      else if (state === 'failed') void this.#onLost(connection);
    });
    connection.on('failed', (error) => {
      if (this.#connection === connection && connection.state !== 'disconnected') this.#onFailed(error);
    });
    return connection;
  }

  async #onLost(connection: Connection): Promise<void> {
    await delay(FAREWELL_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (this.#connection === connection)
      this.#onFailed(new MeetError('connection-failed', 'the media path was lost'));
  }

  #onFailed(cause: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#options.health.broke('subscribe', MeetError.from(cause).message);
    void this.#startOver();
  }

  async #startOver(): Promise<void> {
    this.#drop();
    for (let attempt = 1; !this.#closing.signal.aborted; attempt++) {
      await delay(backoffMs(attempt), undefined, { signal: this.#closing.signal }).catch(() => {});
      // A connection made meanwhile (a reset by the server) needs no other.
      if (this.#closing.signal.aborted || this.#connection !== undefined) return;
      try {
        await this.subscribe(true);
        return;
      } catch {
        // Signaling is down or has started over; the next attempt, or its own full update, mends it.
      }
    }
  }

  async #recover(connection: Connection): Promise<void> {
    if (this.#recovering) return;
    this.#recovering = true;
    try {
      for (
        let attempt = 0;
        this.#connection === connection && connection.state === 'disconnected';
        attempt++
      ) {
        this.#options.health.broke('subscribe', 'no media comes through');
        const asked = await this.#options.signaling.request('ice-restart', { pc: 'subscribe' }).then(
          () => true,
          () => false,
        );
        await this.#settled(connection, asked ? RESTART_PATIENCE_MS : backoffMs(attempt));
        if (this.#closing.signal.aborted) return;
      }
    } finally {
      this.#recovering = false;
    }
  }

  /** Waits until the connection is no longer `disconnected`, at most so long. */
  async #settled(connection: Connection, patienceMs: number): Promise<void> {
    if (connection.state !== 'disconnected') return;
    const patience = new AbortController();
    const changed = () => patience.abort();
    connection.once('state', changed);
    await delay(patienceMs, undefined, {
      signal: AbortSignal.any([patience.signal, this.#closing.signal]),
    }).catch(() => {});
    connection.off('state', changed);
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = undefined;
    connection?.close();
  }

  close(): void {
    this.#closing.abort();
    this.#drop();
  }
}

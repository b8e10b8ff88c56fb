import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { MeetError } from '../../protocol/errors.ts';
import { backoffMs } from '../backoff.ts';
import type { Health } from '../health.ts';
import type { SignalingClient } from '../signaling/client.ts';
import type { TransportOptions } from '../transport/types.ts';
import { type OfferExchange, PublishConnection } from './publish-connection.ts';
import type { Publisher } from './publisher.ts';
import type { SourceRole } from './sent-sources.ts';

/**
 * A server that ends a meeting or stops closes the media as it says so, and the media's end may be here first: time for
 * the word, milliseconds.
 */
export const FAREWELL_MS = 100;

const REFUSED: Readonly<Record<SourceRole, string>> = {
  own: 'The server takes neither camera nor microphone of this participant now.',
  screen: 'The screen may not be shared now: another is, or only hosts may.',
};

interface PublishingEvents {
  /** The first connection is up. */
  connected: [timings: { iceMs: number; dtlsMs: number }];
  /** Publishing is not possible, now or later. */
  failed: [error: MeetError];
  /** The server takes the rest, but nothing of this source. */
  refused: [role: SourceRole, error: MeetError];
}

export interface PublishingOptions {
  readonly publisher: Publisher;
  readonly signaling: SignalingClient;
  readonly health: Health;
  readonly cname: string;
  readonly transport: () => TransportOptions;
  readonly reconnectTimeoutMs: number;
}

/** Keeps one publish connection alive: connects, restarts ICE on a dead path, builds anew when all is gone. */
export class Publishing extends EventEmitter<PublishingEvents> {
  readonly #options: PublishingOptions;
  readonly #closing = new AbortController();
  #connection: PublishConnection | undefined;
  /** Offers go one after the other; the server refuses one that overtakes another. */
  #lastExchange: Promise<unknown> = Promise.resolve();
  #generation = 0;
  #recovering = false;
  #wantedLayers = new Map<string, readonly number[]>();

  constructor(options: PublishingOptions) {
    super();
    this.#options = options;
  }

  get connection(): PublishConnection | undefined {
    return this.#connection;
  }

  /** Takes which layers of which tracks somebody watches, also of tracks whose answer is still on its way. */
  setWantedLayers(wanted: readonly { trackId: string; layers: readonly number[] }[]): void {
    for (const { trackId, layers } of wanted) this.#wantedLayers.set(trackId, layers);
    this.#connection?.setWantedLayers(wanted);
  }

  /** Connects, again and again with backoff; also called when the server has lost the connection's state. */
  async connect(): Promise<void> {
    const generation = ++this.#generation;
    const deadline = performance.now() + this.#options.reconnectTimeoutMs;
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#connectOnce(generation);
        return;
      } catch (cause) {
        if (this.#isStale(generation)) return;
        const error = MeetError.from(cause);
        const final = error.fault === 'caller' || error.code === 'peer-not-verified';
        if (final || performance.now() > deadline) {
          this.emit('failed', error);
          return;
        }
        this.#options.health.broke('publish', error.message);
        await delay(backoffMs(attempt + 1), undefined, { signal: this.#closing.signal }).catch(() => {});
        if (this.#isStale(generation)) return;
      }
    }
  }

  #isStale(generation: number): boolean {
    return this.#closing.signal.aborted || generation !== this.#generation;
  }

  async #connectOnce(generation: number): Promise<void> {
    const { publisher, health, cname } = this.#options;
    this.#connection?.close();
    const connection = await PublishConnection.create(
      publisher.sources,
      cname,
      this.#options.transport(),
      publisher.sending,
    );
    try {
      const timings = await connection.connect(this.#exchange);
      if (this.#isStale(generation))
        throw new MeetError('connection-failed', 'Another connection took over.');
      this.#connection = connection;
      connection.on('state', (state) => {
        if (this.#connection !== connection) return;
        if (state === 'connected') health.mended('publish');
        else if (state === 'disconnected') void this.#recover(connection);
        else if (state === 'failed') void this.#onLost(connection);
      });
      publisher.use(connection);
      for (const role of connection.refusedRoles) {
        this.emit('refused', role, new MeetError('forbidden', REFUSED[role]));
      }
      connection.setWantedLayers([...this.#wantedLayers].map(([trackId, layers]) => ({ trackId, layers })));
      health.mended('publish');
      this.emit('connected', timings);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  async #onLost(connection: PublishConnection): Promise<void> {
    await delay(FAREWELL_MS, undefined, { signal: this.#closing.signal }).catch(() => {});
    if (this.#closing.signal.aborted || this.#connection !== connection) return;
    this.#options.health.broke('publish', 'the media path was lost');
    void this.connect();
  }

  readonly #exchange: OfferExchange = async ({ sdp, tracks, reset }) => {
    const turn = this.#lastExchange.then(() =>
      this.#options.signaling.request('offer', { sdp, tracks, reset }),
    );
    this.#lastExchange = turn.catch(() => {});
    const reply = await turn;
    if (reply.type !== 'answer') throw new MeetError('bad-sdp', 'The server did not answer the offer.');
    return reply.payload;
  };

  async #recover(connection: PublishConnection): Promise<void> {
    if (this.#recovering) return;
    this.#recovering = true;
    try {
      for (
        let attempt = 0;
        this.#connection === connection && connection.state === 'disconnected';
        attempt++
      ) {
        this.#options.health.broke('publish', 'no media gets through');
        await connection.restartIce(this.#exchange).catch(() => {});
        if (connection.state !== 'disconnected') break;
        await delay(backoffMs(attempt), undefined, { signal: this.#closing.signal }).catch(() => {});
        if (this.#closing.signal.aborted) return;
      }
    } finally {
      this.#recovering = false;
    }
  }

  close(): void {
    this.#closing.abort();
    this.#connection?.close();
    this.#connection = undefined;
  }
}

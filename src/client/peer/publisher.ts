import { EventEmitter } from 'node:events';
import type { EncodedFrame, EncodedSource } from '../../media/types.ts';
import type { PublishConnection, SendingOptions } from './publish-connection.ts';

interface PublisherEvents {
  ended: [];
  failed: [error: Error];
}

/**
 * Further than this off the wall clock, the source has paused (a slow encoder, a stalled machine) and its
 * clock is aligned anew; below it is the timers' scatter, which capture times must not show.
 */
const MAX_CLOCK_ERROR_MS = 200;

/** Owns what is sent and hands it to whichever connection is up: the source outlives connections. */
export class Publisher extends EventEmitter<PublisherEvents> {
  readonly #source: EncodedSource;
  readonly #sending: SendingOptions;
  #connection: PublishConnection | undefined;
  #started = false;
  #closed = false;
  /** Wall clock minus source clock, milliseconds. */
  #clockOffsetMs: number | undefined;

  /** @param sending with a clock, each frame has the time at which it is sent, in place of when it was due */
  constructor(source: EncodedSource, sending: SendingOptions = {}) {
    super();
    this.#source = source;
    this.#sending = sending;
  }

  get sending(): SendingOptions {
    return this.#sending;
  }

  get source(): EncodedSource {
    return this.#source;
  }

  /** Sends through this connection from now on, beginning with a keyframe. */
  use(connection: PublishConnection): void {
    this.#connection = connection;
    connection.on('keyframe-request', (layer) => {
      if (this.#connection === connection) this.#source.requestKeyFrame(layer);
    });
    connection.on('layers', (active) => {
      if (this.#connection === connection) this.#activate(active);
    });
    this.#activate(connection.activeLayers);
    if (this.#started) {
      this.#source.video?.layers.forEach((_, layer) => {
        this.#source.requestKeyFrame(layer);
      });
      return;
    }
    this.#started = true;
    this.#source.start({
      frame: (frame) => this.#onFrame(frame),
      ended: () => this.emit('ended'),
      failed: (error) => this.emit('failed', error),
    });
  }

  /** A source encodes only these layers; one that comes back begins with a keyframe. */
  #activate(active: readonly number[]): void {
    if (this.#closed) return;
    this.#source.video?.layers.forEach((_, layer) => {
      this.#source.setLayerActive(layer, active.includes(layer));
    });
  }

  #onFrame(frame: EncodedFrame): void {
    if (this.#closed) return;
    if (this.#sending.clock !== undefined) {
      this.#connection?.sendFrame(frame, this.#sending.clock.now());
      return;
    }
    const now = performance.timeOrigin + performance.now();
    const sourceMs = frame.timestampUs / 1000;
    if (
      this.#clockOffsetMs === undefined ||
      Math.abs(sourceMs + this.#clockOffsetMs - now) > MAX_CLOCK_ERROR_MS
    ) {
      this.#clockOffsetMs = now - sourceMs;
    }
    this.#connection?.sendFrame(frame, sourceMs + this.#clockOffsetMs);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection = undefined;
    await this.#source.close();
  }
}

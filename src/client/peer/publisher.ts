import { EventEmitter } from 'node:events';
import type { EncodedFrame } from '../../media/types.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { PublishConnection, SendingOptions } from './publish-connection.ts';
import { listSources, MEDIA_SOURCE, type SentSources, type SourceRole } from './sent-sources.ts';

interface PublisherEvents {
  ended: [role: SourceRole];
  failed: [error: Error, role: SourceRole];
  /** A source's device is gone, or has come back. */
  available: [source: MediaSource, available: boolean];
}

/**
 * Further than this off the wall clock, the source has paused (a slow encoder, a stalled machine) and its
 * clock is aligned anew; below it is the timers' scatter, which capture times must not show.
 */
const MAX_CLOCK_ERROR_MS = 200;

/** Owns what is sent and hands it to whichever connection is up: the sources outlive connections. */
export class Publisher extends EventEmitter<PublisherEvents> {
  readonly #sources: SentSources;
  readonly #sending: SendingOptions;
  #connection: PublishConnection | undefined;
  #started = false;
  #closed = false;
  /** Wall clock minus source clock, milliseconds. */
  readonly #clockOffsetsMs = new Map<SourceRole, number>();

  /** @param sending with a clock, each frame has the time at which it is sent, in place of when it was due */
  constructor(sources: SentSources, sending: SendingOptions = {}) {
    super();
    this.#sources = sources;
    this.#sending = sending;
  }

  get sending(): SendingOptions {
    return this.#sending;
  }

  get sources(): SentSources {
    return this.#sources;
  }

  /** Sends through this connection from now on, beginning with a keyframe. */
  use(connection: PublishConnection): void {
    this.#connection = connection;
    connection.on('keyframe-request', (role, layer) => {
      if (this.#connection === connection) this.#sources[role]?.requestKeyFrame(layer);
    });
    connection.on('layers', () => {
      if (this.#connection === connection) this.#activate(connection);
    });
    connection.on('bitrate', (role, bitrate) => {
      if (this.#connection === connection) this.#sources[role]?.setBitrate?.(bitrate);
    });
    this.#activate(connection);
    for (const { role, source } of listSources(this.#sources)) {
      if (this.#started) {
        source.video?.layers.forEach((_, layer) => {
          source.requestKeyFrame(layer);
        });
        continue;
      }
      source.start({
        frame: (frame) => this.#onFrame(role, frame),
        ended: () => this.emit('ended', role),
        failed: (error) => this.emit('failed', error, role),
        available: (kind, available) => this.emit('available', MEDIA_SOURCE[role][kind], available),
      });
    }
    this.#started = true;
  }

  /** Protects the sound for so much loss on the way to whoever receives it worst, in percent. */
  setAudioLoss(loss: number): void {
    for (const { source } of listSources(this.#sources)) source.setAudioLoss?.(loss);
  }

  /** A source encodes only these layers; one that comes back begins with a keyframe. */
  #activate(connection: PublishConnection): void {
    if (this.#closed) return;
    for (const { role, source } of listSources(this.#sources)) {
      const active = connection.activeLayers(role);
      source.video?.layers.forEach((_, layer) => {
        source.setLayerActive(layer, active.includes(layer));
      });
    }
  }

  #onFrame(role: SourceRole, frame: EncodedFrame): void {
    if (this.#closed) return;
    if (this.#sending.clock !== undefined) {
      this.#connection?.sendFrame(role, frame, this.#sending.clock.now());
      return;
    }
    this.#connection?.sendFrame(role, frame, frame.timestampUs / 1000 + this.#offsetMs(role, frame));
  }

  #offsetMs(role: SourceRole, { timestampUs }: EncodedFrame): number {
    const told = this.#sources[role]?.clockOffsetMs;
    if (told !== undefined) return told;
    const now = performance.timeOrigin + performance.now();
    const sourceMs = timestampUs / 1000;
    const known = this.#clockOffsetsMs.get(role);
    if (known !== undefined && Math.abs(sourceMs + known - now) <= MAX_CLOCK_ERROR_MS) return known;
    this.#clockOffsetsMs.set(role, now - sourceMs);
    return now - sourceMs;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection = undefined;
    await Promise.all(listSources(this.#sources).map(({ source }) => source.close()));
  }
}

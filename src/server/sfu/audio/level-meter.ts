/**
 * Levels of a room's audio in a sliding window, measured in the worker: whoever many send, this process gets ten short
 * messages a second while anybody is loud, and none while all are quiet.
 *
 * The worker's observer has a window that does not slide: it gives the mean level (RFC 6464) of each 300 ms, of producers
 * with ten packets or more in it. Three of them, begun 100 ms apart, make a window that moves by 100 ms.
 */
import { EventEmitter } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { AudioLevelObserver, AudioLevelObserverVolume, Producer, Router } from 'mediasoup/types';
import { LEVEL_WINDOW_MS } from './speaker-detector.ts';

const OBSERVERS = 3;
/** Above the level of a quiet room and below that of quiet talk, dBov. */
const THRESHOLD_DBOV = -60;
/** The loudest ones that are told of: four speakers, those who compete with them, and some to spare. */
const MAX_ENTRIES = 16;

export interface LevelMeterEvents {
  /** dBov by producer id, of one position of the window; who is missing is quiet. */
  levels: [levels: ReadonlyMap<string, number>];
}

export class LevelMeter extends EventEmitter<LevelMeterEvents> {
  readonly #observers: AudioLevelObserver[] = [];
  readonly #producers = new Set<Producer>();
  readonly #closing = new AbortController();

  /** The observers begin one after the other; what the worker refuses because it died is the room's to see. */
  constructor(router: Router) {
    super();
    this.#start(router).catch(() => {});
  }

  async #start(router: Router): Promise<void> {
    for (let i = 0; i < OBSERVERS; i++) {
      const observer = await router.createAudioLevelObserver({
        interval: LEVEL_WINDOW_MS,
        threshold: THRESHOLD_DBOV,
        maxEntries: MAX_ENTRIES,
      });
      if (this.#closing.signal.aborted) {
        observer.close();
        return;
      }
      this.#observers.push(observer);
      observer.on('volumes', (volumes: AudioLevelObserverVolume[]) => {
        this.emit('levels', new Map(volumes.map(({ producer, volume }) => [producer.id, volume])));
      });
      for (const producer of this.#producers) observe(observer, producer);
      await delay(LEVEL_WINDOW_MS / OBSERVERS, undefined, { signal: this.#closing.signal });
    }
  }

  /** Until the producer closes; while it is paused it is not heard. */
  add(producer: Producer): void {
    this.#producers.add(producer);
    producer.observer.once('close', () => this.#producers.delete(producer));
    for (const observer of this.#observers) observe(observer, producer);
  }

  close(): void {
    this.#closing.abort();
    for (const observer of this.#observers) observer.close();
  }
}

function observe(observer: AudioLevelObserver, producer: Producer): void {
  // It fails only for a producer, router or worker that is gone.
  observer.addProducer({ producerId: producer.id }).catch(() => {});
}

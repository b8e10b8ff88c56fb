import type { Scheduler, Task } from './scheduler.ts';

/**
 * An SFU passes one request to the sender and keeps the following ones until it is answered; asking more often
 * than this brings nothing.
 */
const INTERVAL_MS = 300;

export interface KeyframeRequesterOptions {
  readonly scheduler: Scheduler;
  readonly send: () => void;
  /** Whether a keyframe is still needed. */
  readonly needed: () => boolean;
}

/** Sends picture loss indications, and repeats them until a keyframe came. */
export class KeyframeRequester {
  readonly #options: KeyframeRequesterOptions;
  readonly #task: Task;
  #lastMs = Number.NEGATIVE_INFINITY;
  /** Somebody asked since the last request was sent. */
  #asked = false;

  constructor(options: KeyframeRequesterOptions) {
    this.#options = options;
    this.#task = options.scheduler.task(() => {
      if (this.#asked || this.#options.needed()) this.#send();
    });
  }

  /** Asks now, or as soon as the last request is old enough. */
  request(): void {
    this.#asked = true;
    if (this.#options.scheduler.now() - this.#lastMs >= INTERVAL_MS) this.#send();
    else this.#task.schedule(this.#lastMs + INTERVAL_MS);
  }

  /** Asks unless a request is on its way; that one is repeated for as long as `needed` says. */
  ensure(): void {
    if (this.#options.scheduler.now() - this.#lastMs >= INTERVAL_MS) this.#send();
  }

  close(): void {
    this.#task.cancel();
  }

  #send(): void {
    this.#asked = false;
    this.#lastMs = this.#options.scheduler.now();
    this.#options.send();
    this.#task.schedule(this.#lastMs + INTERVAL_MS);
  }
}

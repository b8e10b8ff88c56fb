import { EventEmitter } from 'node:events';

/** The parts of a participant's connection that can break on their own. */
export type Part = 'signaling' | 'publish' | 'subscribe';

interface HealthEvents {
  reconnecting: [info: { reason: string; attempt: number }];
  reconnected: [info: { ms: number }];
}

/** Knows which parts are broken, and since when: one disturbance from the first break to the last mend. */
export class Health extends EventEmitter<HealthEvents> {
  readonly #broken = new Set<Part>();
  #since = 0;
  #attempts = 0;

  isBroken(part: Part): boolean {
    return this.#broken.has(part);
  }

  /** Says that a part is broken, or that another attempt to mend it begins. */
  broke(part: Part, reason: string): void {
    if (this.#broken.size === 0) {
      this.#since = performance.now();
      this.#attempts = 0;
    }
    this.#broken.add(part);
    this.emit('reconnecting', { reason, attempt: ++this.#attempts });
  }

  mended(part: Part): void {
    if (!this.#broken.delete(part) || this.#broken.size > 0) return;
    this.emit('reconnected', { ms: Math.round(performance.now() - this.#since) });
  }
}

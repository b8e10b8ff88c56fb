import type { Scheduler, Task } from './scheduler.ts';

/** How often a waiting queue is served. */
const TICK_MS = 5;
/** Room over the target: a keyframe is five to ten times a usual picture and should not take as long. */
const HEADROOM = 2.5;
/** A sender that is told little must still get a keyframe out in a few ticks. */
const MIN_RATE = 10_000_000;
/** What waits is gone after this; the rate rises where it has to. */
const MAX_DELAY_MS = 40;

export type PacerPriority = 'retransmission' | 'media';

interface QueuedPacket {
  readonly bytes: number;
  readonly send: () => void;
}

/**
 * Spreads the packets of a picture over time, so that a burst does not overflow a router's or the receiver's
 * socket queue (the default of Linux holds about 256 packets). One for all senders of a session.
 */
export class Pacer {
  readonly #scheduler: Scheduler;
  readonly #tick: Task;
  readonly #queues: Record<PacerPriority, QueuedPacket[]> = { retransmission: [], media: [] };
  #bytesPerMs: number;
  #queuedBytes = 0;
  /** Bytes a millisecond that what waits needs to be gone in time; falls when nothing waits any more. */
  #queueRate = 0;
  /** Bytes that may go now; negative after a packet larger than what was left. */
  #budget: number;
  #updatedMs = 0;

  constructor(scheduler: Scheduler, targetBitrate: number) {
    this.#scheduler = scheduler;
    this.#tick = scheduler.task(() => this.#serve());
    this.#bytesPerMs = rate(targetBitrate);
    this.#budget = this.#bytesPerMs * TICK_MS;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  setTargetBitrate(bitrate: number): void {
    this.#bytesPerMs = rate(bitrate);
  }

  /** Sends now where the rate allows, else keeps the packet for one of the next ticks. */
  enqueue(priority: PacerPriority, bytes: number, send: () => void): void {
    const now = this.#scheduler.now();
    if (this.#queuedBytes === 0) {
      this.#refill(now, TICK_MS);
      if (this.#budget > 0) {
        this.#budget -= bytes;
        send();
        return;
      }
    }
    this.#queues[priority].push({ bytes, send });
    this.#queuedBytes += bytes;
    this.#queueRate = Math.max(this.#queueRate, this.#queuedBytes / MAX_DELAY_MS);
    this.#tick.schedule(now + TICK_MS);
  }

  /** Sends all that waits at once. */
  flush(): void {
    this.#tick.cancel();
    this.#drain(Number.POSITIVE_INFINITY);
  }

  /** `capMs` is the time whose bytes may be saved up. */
  #refill(now: number, capMs: number): void {
    const rateNow = Math.max(this.#bytesPerMs, this.#queueRate);
    this.#budget = Math.min(rateNow * capMs, this.#budget + rateNow * (now - this.#updatedMs));
    this.#updatedMs = now;
  }

  #serve(): void {
    const now = this.#scheduler.now();
    // A timer that comes late is made up for, up to the delay that is allowed at all.
    this.#refill(now, MAX_DELAY_MS);
    this.#budget = this.#drain(this.#budget);
    if (this.#queuedBytes > 0) this.#tick.schedule(now + TICK_MS);
    else this.#queueRate = 0;
  }

  /** Sends while the budget is positive; gives what is left of it. */
  #drain(budget: number): number {
    let left = budget;
    for (const priority of ['retransmission', 'media'] as const) {
      const queue = this.#queues[priority];
      let sent = 0;
      while (sent < queue.length && left > 0) {
        const packet = queue[sent]!;
        sent += 1;
        left -= packet.bytes;
        this.#queuedBytes -= packet.bytes;
        packet.send();
      }
      queue.splice(0, sent);
    }
    return left;
  }
}

/** Bytes a millisecond. */
function rate(targetBitrate: number): number {
  return Math.max(targetBitrate * HEADROOM, MIN_RATE) / 8000;
}

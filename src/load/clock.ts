/** One clock for all drivers of a run: latency is the difference of two of its times. */
import type { Clock } from '../client/rtp/clock.ts';

/** Milliseconds on CLOCK_MONOTONIC, which all processes of a machine share, whenever they began. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * The run's time in this process, milliseconds since the epoch as the coordinator counts it. Until it is set it is
 * this machine's.
 */
export class RunClock implements Clock {
  /** The run's time minus `performance.now()`. */
  #offsetMs = performance.timeOrigin;

  now(): number {
    return performance.now() + this.#offsetMs;
  }

  setTimer(callback: () => void, delayMs: number): () => void {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }

  /** @param sinceMonotonicMs the run's time minus this machine's `monotonicMs` */
  set(sinceMonotonicMs: number): void {
    // performance.now() is the same clock with another origin, and ten times cheaper to read than hrtime.
    this.#offsetMs = monotonicMs() - performance.now() + sinceMonotonicMs;
  }
}

/** An exchange of times: when the question left, what the other clock said, when the answer came. */
export interface ClockSample {
  readonly sentMs: number;
  readonly remoteMs: number;
  readonly receivedMs: number;
}

/**
 * The remote clock minus the local one, out of the exchange with the shortest round trip (as NTP's clock filter,
 * RFC 5905 section 10), and by how much it can be wrong: half of that round trip.
 */
export function clockOffset(samples: readonly ClockSample[]): { offsetMs: number; errorMs: number } {
  let best: { offsetMs: number; errorMs: number } | undefined;
  for (const { sentMs, remoteMs, receivedMs } of samples) {
    const errorMs = (receivedMs - sentMs) / 2;
    if (best === undefined || errorMs < best.errorMs)
      best = { offsetMs: remoteMs - sentMs - errorMs, errorMs };
  }
  if (best === undefined) throw new RangeError('No exchange of times');
  return best;
}

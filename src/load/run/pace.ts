/** Does something so many times a second, for as long as it is told to. */
import { setTimeout as delay } from 'node:timers/promises';

/** Timers are no finer than this, milliseconds: what is due is done together. */
const TICK_MS = 10;

export interface PaceOptions {
  /** A second. */
  readonly rate: number;
  /** Ends it; it also ends after `times`. */
  readonly signal: AbortSignal;
  readonly times?: number;
}

/** Calls `act` at the rate, without catching up more than a second after a stall. Resolves when it has ended. */
export async function pace(
  { rate, signal, times = Number.POSITIVE_INFINITY }: PaceOptions,
  act: () => void,
): Promise<void> {
  let done = 0;
  let dueMs = performance.now();
  while (!signal.aborted && done < times && rate > 0) {
    const now = performance.now();
    dueMs = Math.max(dueMs, now - 1_000);
    while (dueMs <= now && done < times) {
      act();
      done += 1;
      dueMs += 1_000 / rate;
    }
    if (done < times) await delay(Math.max(TICK_MS, dueMs - now), undefined, { signal }).catch(() => {});
  }
}

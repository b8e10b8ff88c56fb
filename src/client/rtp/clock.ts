/**
 * Time for the RTP session. Injected, so that a test moves it by hand instead of sleeping.
 */
export interface Clock {
  /** Milliseconds since the epoch with sub-millisecond resolution; never steps back. */
  now(): number;
  /** Calls back once after `delayMs`; gives the function that cancels it. */
  setTimer(callback: () => void, delayMs: number): () => void;
}

/**
 * The wall clock as it was when the process began, carried on by the monotonic clock: an adjustment of the
 * system's time in the middle of a call must not tear sender reports and playout apart. Its timers do not
 * keep the process alive.
 */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

import { setTimeout as delay } from 'node:timers/promises';

/** How often a device that is gone is looked for, milliseconds. */
const LOOK_INTERVAL_MS = 1_500;

/** Tries to open a device again and again until that works; `undefined` when it is given up first. */
export async function whenBack<T>(open: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  while (!signal.aborted) {
    await delay(LOOK_INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return undefined;
    try {
      return await open();
    } catch {
      // It is still gone, or in use by another now.
    }
  }
  return undefined;
}

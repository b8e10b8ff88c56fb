import { memoryLiveState } from './memory.ts';
import type { LiveState } from './types.ts';

export interface LiveStateLogger {
  error(fields: object, message: string): void;
}

export interface LiveStateOptions {
  /** Milliseconds that never go back, for what expires; `performance.now` unless given. */
  now?: () => number;
}

/** Opens the live state of a single server, which is its own memory. */
export async function openLiveState(options: LiveStateOptions, logger: LiveStateLogger): Promise<LiveState> {
  return memoryLiveState(options.now ?? (() => performance.now()), logger);
}

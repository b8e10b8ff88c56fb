/** Doing a thing again that failed for a reason that may pass. */
import { setTimeout as wait } from 'node:timers/promises';
import { type ErrorCode, MeetError } from '../../protocol/errors.ts';

/** What will be the same the next time. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'media-unusable',
  'media-not-found',
  'transcription-refused',
  'no-permission',
  'disk-full',
  'bad-config',
  'bad-request',
  'ffmpeg-missing',
  'internal',
]);
const ATTEMPTS = 4;
/** First wait, milliseconds; each further one is four times as long. */
const BASE_MS = 1_000;
/** A provider that asks for more is asked again by the next run, milliseconds. */
const LONGEST_WAIT_MS = 60_000;

export interface RetryOptions {
  readonly attempts?: number;
  readonly baseMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Whether another try makes sense at all. */
export function mayPass(error: unknown): boolean {
  return error instanceof MeetError && !LASTING.has(error.code);
}

/** Gives what `work` gives; tries again with growing waits, a quarter of them random, while what failed may pass. */
export async function withRetries<T>(
  work: () => Promise<T>,
  { attempts = ATTEMPTS, baseMs = BASE_MS, signal }: RetryOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts || !mayPass(error)) throw error;
      const asked = error instanceof MeetError ? (error.retryAfter ?? 0) * 1_000 : 0;
      if (asked > LONGEST_WAIT_MS) throw error;
      const planned = baseMs * 4 ** (attempt - 1) * (0.75 + Math.random() / 4);
      await wait(Math.max(asked, planned), undefined, { ...(signal && { signal }) });
    }
  }
}

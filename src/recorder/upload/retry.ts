import { setTimeout as delay } from 'node:timers/promises';
import { MeetError } from '../../protocol/errors.ts';

export interface RetryOptions {
  /** Failures in a row after which it is given up. */
  readonly attempts: number;
  /** Also tries again what does not look as if it would get better by itself, such as a missing bucket, but seldom. */
  readonly stubborn: boolean;
  /** Milliseconds before the second try; doubles with each that follows, up to `maxWaitMs`. */
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
}

/** For what a person or cron waits for: about two minutes. */
export const PATIENT: RetryOptions = { attempts: 12, stubborn: false, firstWaitMs: 250, maxWaitMs: 20_000 };
/** While a meeting is recorded: nothing is gained by giving up. */
export const STUBBORN: RetryOptions = {
  attempts: Number.POSITIVE_INFINITY,
  stubborn: true,
  firstWaitMs: 250,
  maxWaitMs: 30_000,
};

/** Codes of S3 that say "try again" with a status that alone would not. */
const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'BadDigest',
  'ConcurrentModification',
  'IncompleteBody',
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'SlowDown',
  'TooManyRequests',
  'XAmzContentSHA256Mismatch',
  'XMinioStorageFull',
]);
const EXPIRED_CODES: ReadonlySet<string> = new Set([
  'ExpiredToken',
  'ExpiredTokenException',
  'RequestExpired',
  'TokenRefreshRequired',
]);
const TRANSIENT_STATUS: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 507]);

/** The error of the SDK in one of ours. */
function originOf(error: unknown): unknown {
  return error instanceof MeetError && error.cause !== undefined ? error.cause : error;
}

function statusOf(error: unknown): number | undefined {
  const origin = originOf(error) as { $metadata?: { httpStatusCode?: number } } | null | undefined;
  return origin?.$metadata?.httpStatusCode;
}

/** S3's code of an error, else the name or the system's code. */
export function codeOfFault(error: unknown): string {
  const origin = originOf(error);
  return origin instanceof Error ? origin.name : '';
}

/** S3 answers HEAD without a body, so without a code: with 400 when the credentials have expired. */
const isBare = (error: unknown, status: number) =>
  statusOf(error) === status && /^(Unknown|BadRequest|Forbidden|\d{3})$/.test(codeOfFault(error));

export const isExpired = (error: unknown) => EXPIRED_CODES.has(codeOfFault(error)) || isBare(error, 400);

/** Not with these rights. */
export const isForbidden = (error: unknown) => codeOfFault(error) === 'AccessDenied' || isBare(error, 403);

/** Whether the same may succeed a little later. */
export function isTransient(error: unknown): boolean {
  if (error instanceof MeetError && error.code === 'object-damaged') return true;
  const origin = originOf(error);
  if (!(origin instanceof Error) || origin instanceof MeetError) return false;
  if (TRANSIENT_CODES.has(origin.name) || isExpired(origin)) return true;
  if (origin.name === 'CredentialsProviderError') return false;
  const { code } = origin as { code?: unknown };
  const status = statusOf(origin);
  // A reply that was cut off in its middle has status 200 and cannot be read.
  if (status !== undefined) return TRANSIENT_STATUS.has(status) || status < 300;
  // No reply: the network's errors have a code, timeouts a name.
  return typeof code === 'string'
    ? !code.startsWith('ERR_INVALID')
    : /timeout|socket|abort/i.test(origin.name + origin.message);
}

/** Whether whatever else is sent there would fail alike: it cannot be reached, or takes nothing from this user. */
export function concernsAll(error: MeetError): boolean {
  if (error.code === 'disk-full' || error.code === 'no-permission') return true;
  if (error.code !== 'storage-failed') return false;
  const status = statusOf(error);
  return (
    status === 403 || status === undefined || isTransient(error) || codeOfFault(error) === 'NoSuchBucket'
  );
}

export interface Failure {
  readonly error: MeetError;
  readonly attempt: number;
  readonly waitMs: number;
}

interface RetryHooks {
  readonly signal?: AbortSignal | undefined;
  /** Errors that are an answer: nothing changes by asking again. */
  readonly isFinal?: (error: MeetError) => boolean;
  readonly onFailure?: (failure: Failure) => void;
}

/**
 * Does it until it succeeds, with pauses that double and are shortened at random, so that many who were refused do not
 * come back at the same moment.
 * @throws the last error when it is given up, the signal's reason
 */
export async function retrying<Result>(
  task: () => Promise<Result>,
  { attempts, stubborn, firstWaitMs, maxWaitMs }: RetryOptions,
  { signal, isFinal, onFailure }: RetryHooks = {},
): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await task();
    } catch (cause) {
      signal?.throwIfAborted();
      const error = MeetError.from(cause);
      const transient = isTransient(error);
      if (attempt >= attempts || isFinal?.(error) || !(transient || stubborn)) throw error;
      const full = transient ? Math.min(maxWaitMs, firstWaitMs * 2 ** (attempt - 1)) : maxWaitMs;
      const waitMs = Math.round(full * (0.5 + Math.random() / 2));
      onFailure?.({ error, attempt, waitMs });
      await delay(waitMs, undefined, { ...(signal && { signal }) }).catch(() => signal?.throwIfAborted());
    }
  }
}

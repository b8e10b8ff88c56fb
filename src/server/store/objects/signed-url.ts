/** URLs of the server's objects that carry their own permission, as S3's presigned URLs do. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { assertObjectKey, isObjectKey } from '../../../objects/key.ts';
import { MeetError } from '../../../protocol/errors.ts';
import type { PresignOptions } from './types.ts';

/** S3 signs for a week at most; the two kinds of store are to behave alike. */
const MAX_SECONDS = 7 * 24 * 3600;
const PATH = '/objects/';

/** What a valid signed URL allows. */
export interface SignedGet {
  key: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  downloadName?: string;
}

/** @throws MeetError `bad-request` when the time is not 1 to 604,800 seconds. */
export function assertExpiry({ expiresInSeconds }: PresignOptions): void {
  if (!Number.isInteger(expiresInSeconds) || expiresInSeconds < 1 || expiresInSeconds > MAX_SECONDS) {
    throw new MeetError('bad-request', `A link can be valid for 1 to ${MAX_SECONDS} seconds.`);
  }
}

export function signGet(secret: string, key: string, options: PresignOptions, now: number): string {
  assertObjectKey(key);
  assertExpiry(options);
  const expires = String(Math.floor(now / 1000) + options.expiresInSeconds);
  const query = new URLSearchParams({ expires });
  if (options.downloadName !== undefined) query.set('name', options.downloadName.toWellFormed());
  query.set('signature', signature(secret, key, expires, query.get('name')).toString('base64url'));
  return `${PATH}${key}?${query}`;
}

/**
 * Checks a URL, or its path and query, as a request brought it.
 * @throws MeetError `forbidden` when it is forged, incomplete or has expired.
 */
export function verifyGet(secret: string, url: string, now: number): SignedGet {
  const refused = (message: string) => new MeetError('forbidden', message, { hint: 'Ask for a new link.' });
  const parsed = URL.parse(url, 'http://localhost');
  const key = parsed?.pathname.startsWith(PATH) ? parsed.pathname.slice(PATH.length) : '';
  const query = parsed?.searchParams ?? new URLSearchParams();
  const expires = query.get('expires') ?? '';
  const name = query.get('name');
  const given = Buffer.from(query.get('signature') ?? '', 'base64url');
  const expected = signature(secret, key, expires, name);
  if (!isObjectKey(key) || given.length !== expected.length || !timingSafeEqual(given, expected)) {
    throw refused('The link is not one that this server signed.');
  }
  const expiresAt = Number(expires) * 1000;
  if (expiresAt <= now) throw refused('The link has expired.');
  return { key, expiresAt, ...(name === null ? {} : { downloadName: name }) };
}

/** The label keeps signatures apart from anything else that is signed with the same secret. */
function signature(secret: string, key: string, expires: string, name: string | null): Buffer {
  return createHmac('sha256', secret)
    .update(JSON.stringify(['GET object', key, expires, name]))
    .digest();
}

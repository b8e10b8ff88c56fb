/** Password hashes by scrypt (RFC 7914), written with their parameters so that these can change later. */
import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { MeetError } from '../../protocol/errors.ts';
import { Semaphore } from './semaphore.ts';

/** 16 MiB and, measured, 0.1 s of one core a hash; of OWASP's equal choices the one that takes little memory. */
const COST = { N: 2 ** 14, r: 8, p: 5 };
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** A hash that asks for more than this is not one of ours. */
const MAX_MEMORY_BYTES = 128 * 1024 * 1024;

/** Half of libuv's threads: the others read files and look up names meanwhile. */
const MAX_HASHES = 2;
/** Five seconds of hashes; who comes after these would give up before its turn. */
const MAX_WAITING = 100;
const hashing = new Semaphore({ slots: MAX_HASHES, maxWaiting: MAX_WAITING });

/** The error of those who come when too many passwords are being hashed. */
export function tooManyPasswords(): MeetError {
  return new MeetError('rate-limited', 'Too many passwords are being checked.', { retryAfter: 1 });
}

/** `scrypt$N$r$p$salt$key`, salt and key in base64url. Works in libuv's thread pool. @throws MeetError `rate-limited` */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const key = await derive(password, salt, KEY_BYTES, COST);
  return ['scrypt', COST.N, COST.r, COST.p, salt.toString('base64url'), key.toString('base64url')].join('$');
}

/**
 * Whether the password is the hashed one; the comparison takes the same time wherever the two differ.
 * @throws MeetError `rate-limited`
 */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const match = /^scrypt\$(\d{1,8})\$(\d{1,3})\$(\d{1,3})\$([\w-]+)\$([\w-]+)$/.exec(hash);
  if (!match) return false;
  const [, N, r, p, salt, key] = match as unknown as [string, string, string, string, string, string];
  const expected = Buffer.from(key, 'base64url');
  if (expected.length < KEY_BYTES) return false;
  const actual = await derive(password, Buffer.from(salt, 'base64url'), expected.length, {
    N: Number(N),
    r: Number(r),
    p: Number(p),
  }).catch((error: unknown) => {
    if (error instanceof MeetError) throw error;
    return undefined;
  });
  return actual !== undefined && timingSafeEqual(actual, expected);
}

function derive(password: string, salt: Buffer, bytes: number, cost: ScryptOptions): Promise<Buffer> {
  return hashing.run(() => scryptKey(password, salt, bytes, cost), tooManyPasswords);
}

function scryptKey(password: string, salt: Buffer, bytes: number, cost: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // The same password typed on two keyboards may come composed or decomposed (RFC 8265 section 4.2.1).
    scrypt(password.normalize('NFC'), salt, bytes, { ...cost, maxmem: MAX_MEMORY_BYTES }, (error, key) =>
      error ? reject(error) : resolve(key),
    );
  });
}

import { describe, expect, test } from 'vitest';
import { hashPassword, verifyPassword } from '../../../src/server/store/index.ts';

describe('password hashes', () => {
  test('fit their password only', async () => {
    const hash = await hashPassword('correct horse');
    expect(hash).toMatch(/^scrypt\$16384\$8\$5\$[\w-]{22}\$[\w-]{43}$/);
    expect(await verifyPassword('correct horse', hash)).toBe(true);
    expect(await verifyPassword('correct horse ', hash)).toBe(false);
    expect(await verifyPassword('', hash)).toBe(false);
  });

  test('of the same password differ', async () => {
    expect(await hashPassword('x')).not.toBe(await hashPassword('x'));
  });

  test('fit the password however the keyboard composed it', async () => {
    expect(await verifyPassword('Zu\u0308rich', await hashPassword('Z\u00fcrich'))).toBe(true);
  });

  test('with other parameters are read', async () => {
    // RFC 7914 section 12, third vector, cut to its first 32 bytes (PBKDF2's first block).
    const key = Buffer.from('7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2', 'hex');
    const salt = Buffer.from('SodiumChloride').toString('base64url');
    const hash = `scrypt$16384$8$1$${salt}$${key.toString('base64url')}`;
    expect(await verifyPassword('pleaseletmein', hash)).toBe(true);
  });

  test('are not computed by the hundred at once', async () => {
    const cheap = `scrypt$2$1$1$AAAA$${'A'.repeat(43)}`;
    const checks = await Promise.allSettled(Array.from({ length: 150 }, () => verifyPassword('x', cheap)));
    const refused = checks.filter(({ status }) => status === 'rejected');
    expect(refused).toHaveLength(48);
    expect(refused[0]).toMatchObject({ reason: { code: 'rate-limited', retryAfter: 1 } });
    expect(await verifyPassword('x', cheap)).toBe(false);
  });

  test.each([
    '',
    'correct horse',
    'scrypt$16384$8$5$AAAA$AAAA',
    `scrypt$16385$8$5$AAAA$${'A'.repeat(43)}`,
    `scrypt$99999999$999$999$AAAA$${'A'.repeat(43)}`,
  ])('that are none fit nothing: %s', async (hash) => {
    expect(await verifyPassword('', hash)).toBe(false);
  });
});

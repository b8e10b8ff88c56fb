import { expect, test } from 'vitest';
import { parseServerConfig, type ServerOptions } from '../../src/server/config.ts';

const parse = (options: Partial<ServerOptions>) => parseServerConfig({ dataDir: '/data', ...options });

test('defaults', () => {
  const config = parse({});
  expect(config).toMatchObject({
    host: '0.0.0.0',
    port: 8080,
    listen: [{ ip: '0.0.0.0' }],
    udpPort: 0,
    tcpPort: 0,
    tokenTtlMs: 600_000,
    rateLimit: { requests: 100, windowMs: 1_000 },
    timings: { heartbeatIntervalMs: 4_000, heartbeatTimeoutMs: 10_000, resumeWindowMs: 30_000 },
  });
  expect(Object.isFrozen(config)).toBe(true);
});

test.each<[Partial<ServerOptions>, RegExp]>([
  [{ dataDir: '' }, /data directory/],
  [{ host: '' }, /address to listen on/],
  [{ port: 70_000 }, /The port must be a whole number from 0 to 65535, not 70000/],
  [{ port: 1.5 }, /The port/],
  [{ workers: 0 }, /number of workers/],
  [{ publicUrl: 'meet.example' }, /public URL/],
  [{ publicUrl: 'ftp://meet.example' }, /public URL/],
  [{ databaseUrl: 'mysql://root:hunter2@host/db' }, /not one of PostgreSQL/],
  [{ listen: [{ ip: 'localhost' }] }, /not an IP address/],
  [{ tlsCert: 'cert.pem' }, /certificate and its key/],
  [{ turnUrls: ['turn:host'] }, /need a secret/],
  [{ turnSecret: 'x' }, /needs TURN servers/],
  [{ turnUrls: ['http://host'], turnSecret: 'x' }, /not the URL of a TURN server/],
  [{ tokenKey: 'c2hvcnQ=' }, /at least 32 bytes/],
  [{ tokenTtlMs: 1 }, /lifetime of tokens/],
  [{ rateLimit: { requests: 0, windowMs: 1_000 } }, /rate limit/],
])('refuses %j', (options, message) => {
  expect(() => parse(options)).toThrow(
    expect.objectContaining({ code: 'bad-config', message: expect.stringMatching(message) }),
  );
});

test('a refused database URL is not repeated, since it may hold a password', () => {
  expect(() => parse({ databaseUrl: 'mysql://root:hunter2@host/db' })).not.toThrow(/hunter2/);
});

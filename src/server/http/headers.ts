/** Headers of every reply: what browsers may do with it. */
import type { FastifyInstance } from 'fastify';

/**
 * Pages of any origin may call the interface (Fetch standard, CORS protocol): it knows no cookies, only tokens that
 * a page must have been given.
 */
const CORS: Readonly<Record<string, string>> = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset',
};

const PREFLIGHT: Readonly<Record<string, string>> = {
  'access-control-allow-methods': 'GET, POST, PATCH, DELETE',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': '86400',
};

const SECURITY: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'cross-origin',
  'cache-control': 'no-store',
};

/** One year, as RFC 6797 section 6.1.1's example and browsers' preload lists have it. */
const HSTS = 'max-age=31536000';

/** Adds the headers, and answers preflight requests. */
export function addHeaders(app: FastifyInstance, options: { tls: boolean }): void {
  const headers = { ...CORS, ...SECURITY, ...(options.tls ? { 'strict-transport-security': HSTS } : {}) };
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    if (request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined) {
      return reply.headers(PREFLIGHT).code(204).send();
    }
    return undefined;
  });
}

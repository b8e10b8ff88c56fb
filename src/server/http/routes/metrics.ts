import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyPluginAsync } from 'fastify';
import { MeetError } from '../../../protocol/errors.ts';
import type { ServerConfig } from '../../config.ts';
import type { Metrics } from '../../telemetry/metrics.ts';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** `GET /metrics`: the server's figures in Prometheus' text format. */
export const metricsRoutes: FastifyPluginAsync<{ config: ServerConfig; metrics: Metrics }> = async (
  app,
  { config: { metricsToken }, metrics },
) => {
  const expected = metricsToken === undefined ? undefined : digest(`Bearer ${metricsToken}`);
  // Prometheus' own format is no JSON: the OpenAPI page has nothing to say about it.
  app.get('/metrics', { schema: { hide: true } }, async ({ headers }, reply) => {
    if (expected !== undefined && !timingSafeEqual(digest(headers.authorization ?? ''), expected)) {
      throw new MeetError('unauthorized', 'The metrics need their token as a bearer token.');
    }
    return reply.type(metrics.contentType).send(await metrics.text());
  });
};

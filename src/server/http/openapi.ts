/** `/openapi.json`: the page that describes the interface, made from the routes' schemas. */
import { createRequire } from 'node:module';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { ERRORS } from '../../protocol/errors.ts';
import { ErrorReply } from '../../protocol/rest.ts';

/** Replies that any route may give besides its own. */
export const errorReplies = { '4xx': ErrorReply, '5xx': ErrorReply };

/** Routes that only a bearer may call. */
export const withToken = [{ bearer: [] }];
/** Routes where a token may be given. */
export const withTokenOrWithout: readonly Record<string, readonly string[]>[] = [{ bearer: [] }, {}];

function version(): string {
  const require = createRequire(import.meta.url);
  // The package's exports name it, so that it is found from src/ and from dist/ alike.
  const { version } = require('meet/package.json') as { version: string };
  return version;
}

export async function describeApi(app: FastifyInstance): Promise<void> {
  const codes = Object.entries(ERRORS).map(
    ([code, { status, about }]) => `| ${code} | ${status} | ${about} |`,
  );
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'meet',
        description: [
          'Meetings: create them, join them, end them. Media are negotiated over `WS /signaling/{meetingId}`.',
          '',
          '| code | HTTP status | meaning |',
          '|---|---|---|',
          ...codes,
        ].join('\n'),
        version: version(),
      },
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      },
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}

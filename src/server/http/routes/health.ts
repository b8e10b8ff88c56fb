import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import type { Store } from '../../store/index.ts';
import { errorReplies } from '../openapi.ts';

/** `GET /healthz`: whether the server can do its work, for load balancers. */
export const healthRoutes: FastifyPluginAsyncTypebox<{ store: Store }> = async (app, { store }) => {
  const schema = {
    summary: 'Whether the server takes requests and its database answers',
    tags: ['server'],
    response: { 200: Type.Object({ status: Type.Literal('ok') }), ...errorReplies },
  };
  app.get('/healthz', { schema }, async () => {
    await store.check();
    return { status: 'ok' as const };
  });
};

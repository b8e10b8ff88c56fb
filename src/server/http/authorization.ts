/** Who a request comes from, by its token. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { MeetError } from '../../protocol/errors.ts';
import { bearerToken, noToken } from '../auth/bearer.ts';
import { type Claims, requireMeeting, type Tokens } from '../auth/tokens.ts';
import type { Actor } from '../meetings/policy.ts';
import type { MeetingService } from '../meetings/service.ts';
import { addressKey } from './address.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request's token says; `undefined` without one, an error where it is not good. */
    claims: Claims | MeetError | undefined;
  }
}

/** Checks the token of each request once, before anything else looks at it. */
export function readTokens(app: FastifyInstance, tokens: Tokens): void {
  app.decorateRequest('claims', undefined);
  app.addHook('onRequest', async (request) => {
    const token = bearerToken(request.headers);
    if (token === undefined) {
      if (request.headers.authorization !== undefined) {
        request.claims = new MeetError('unauthorized', 'The Authorization header is not "Bearer <token>".');
      }
      return;
    }
    request.claims = await tokens.verify(token).catch((error: unknown) => MeetError.from(error));
  });
}

/** @throws MeetError `unauthorized`, `token-expired` for a token that is there and not good */
export function optionalClaims({ claims }: FastifyRequest): Claims | undefined {
  if (claims instanceof MeetError) throw claims;
  return claims;
}

/** As what the request's bearer asks. @throws MeetError also `unauthorized` without a token, `wrong-meeting` */
export async function actorOf(
  request: FastifyRequest,
  meetingId: string,
  { requests }: MeetingService,
): Promise<Actor> {
  const claims = optionalClaims(request);
  if (claims === undefined) throw noToken();
  requireMeeting(claims, meetingId);
  return await requests.actor(meetingId, claims, addressKey(request.ip));
}

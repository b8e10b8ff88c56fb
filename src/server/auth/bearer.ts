/** Where requests carry their token. */
import type { IncomingHttpHeaders } from 'node:http';
import { MeetError } from '../../protocol/errors.ts';

/** The token of `Authorization: Bearer` (RFC 6750 section 2.1), or `undefined`. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  const match = headers.authorization?.match(/^Bearer +([\w.~+/=-]+) *$/i);
  return match?.[1];
}

export function noToken(): MeetError {
  return new MeetError('unauthorized', 'The request carries no token.', {
    hint: 'Send it as "Authorization: Bearer <token>".',
  });
}

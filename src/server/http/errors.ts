/** Every failed request is answered with an `ErrorReply`, whatever failed. */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { MeetError } from '../../protocol/errors.ts';
import type { ErrorReply } from '../../protocol/rest.ts';
import type { ServerLogger } from '../config.ts';

/** The body for an error; of one that is ours to mend it says only that. */
function errorReply(error: MeetError): ErrorReply {
  const { code, message, hint } = error;
  if (code === 'internal') return { error: { code, message: 'Something went wrong in the server.' } };
  return { error: { code, message, ...(hint === undefined ? {} : { hint }) } };
}

/** Fastify's own errors as ours. */
function toMeetError(error: unknown): MeetError {
  if (error instanceof MeetError || !(error instanceof Error)) return MeetError.from(error);
  const { code, statusCode } = error as FastifyError;
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new MeetError('too-large', 'The body of the request is too large.', { cause: error });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new MeetError('bad-request', 'The body must be JSON.', {
        cause: error,
        hint: 'Send it with "Content-Type: application/json".',
      });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return new MeetError('bad-request', 'The body is empty; it must be a JSON object.', { cause: error });
    case 'FST_ERR_CTP_INVALID_JSON_BODY':
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new MeetError('bad-request', 'The body is not JSON.', { cause: error });
    case 'FST_ERR_BAD_URL':
      return new MeetError('bad-request', 'The path of the request is malformed.', { cause: error });
  }
  if (error instanceof SyntaxError && statusCode === 400) {
    return new MeetError('bad-request', 'The body is not JSON.', { cause: error });
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new MeetError('bad-request', error.message, { cause: error });
  }
  return MeetError.from(error);
}

/** Makes an app answer all its errors so. */
export function handleErrors(app: FastifyInstance, logger: ServerLogger): void {
  app.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) =>
    answerError(error, request, reply, logger),
  );
}

/** Sends the reply for an error, and logs what is the server's fault. */
export function answerError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: ServerLogger,
): FastifyReply {
  const meetError = toMeetError(error);
  if (meetError.fault === 'internal' || meetError.status === 500) {
    logger.error({ err: error, method: request.method, route: request.routeOptions?.url }, 'Request failed');
  }
  if (meetError.retryAfter !== undefined)
    reply.header('retry-after', String(Math.ceil(meetError.retryAfter)));
  if (meetError.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(meetError.status).send(errorReply(meetError));
}

/** Answers what is not even HTTP, where there is no request to reply to. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
  const meetError = tooLarge
    ? new MeetError('too-large', 'The header of the request is too large.')
    : new MeetError('bad-request', 'The request is not HTTP.');
  endWithError(socket, meetError);
}

/** Answers on a socket that no response belongs to, and ends it. */
export function endWithError(socket: Duplex, error: MeetError): void {
  const body = JSON.stringify(errorReply(error));
  socket.end(
    [
      `HTTP/1.1 ${error.status} ${STATUS_CODES[error.status]}`,
      'Connection: close',
      'Content-Type: application/json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

/** One call of the REST interface: its reply is checked against its schema, its errors become sentences. */
import type { Readable } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { request } from 'undici';
import { isErrorCode, MeetError } from '../protocol/errors.ts';
import { ErrorReply } from '../protocol/rest.ts';

/** Longer than any healthy server takes, short enough that a script notices. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface Call<T extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** A body that is not JSON, sent as it is read. */
  readonly stream?: { readonly contentType: string; readonly length: number; readonly body: Readable };
  /** How long the server may take to answer, milliseconds. */
  readonly timeoutMs?: number;
  readonly reply: T;
  readonly signal?: AbortSignal | undefined;
}

export async function call<T extends TSchema>(server: string, options: Call<T>): Promise<Static<T>> {
  const { statusCode, headers, text } = await send(server, options);
  const body = parseJson(text);
  if (statusCode >= 400) throw replyError(statusCode, body, headers['retry-after'], server);
  if (!Value.Check(options.reply, body)) {
    throw new MeetError('server-unreachable', `${server} answers, but not as a meet server.`, {
      hint: 'Check the URL; it may be another program or another version.',
    });
  }
  return body;
}

async function send(server: string, { method, path, token, body, stream, timeoutMs, signal }: Call<TSchema>) {
  const timeout = timeoutMs ?? REQUEST_TIMEOUT_MS;
  try {
    const reply = await request(`${server}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(stream && { 'content-type': stream.contentType, 'content-length': String(stream.length) }),
      },
      body: stream?.body ?? (body === undefined ? null : JSON.stringify(body)),
      headersTimeout: timeout,
      bodyTimeout: timeout,
      signal: signal ?? null,
    });
    return { statusCode: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
  } catch (cause) {
    if (signal?.aborted || cause instanceof MeetError) throw cause;
    throw networkFault(server, cause);
  }
}

/** The error of a request that had no answer. */
export function networkFault(server: string, cause: unknown): MeetError {
  return new MeetError('server-unreachable', `No answer from ${server}: ${networkReason(cause)}.`, {
    cause,
    hint: 'Is the server running, and the URL right?',
  });
}

/** The innermost reason of a network error, in words. */
export function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const words: Record<string, string> = {
    ECONNREFUSED: 'connection refused',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the host name cannot be looked up now',
    ECONNRESET: 'connection reset',
    ETIMEDOUT: 'timed out',
    EHOSTUNREACH: 'no route to the host',
    ENETUNREACH: 'the network is unreachable',
    UND_ERR_CONNECT_TIMEOUT: 'timed out',
    UND_ERR_HEADERS_TIMEOUT: 'timed out',
    UND_ERR_SOCKET: 'the connection was closed',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed',
    CERT_HAS_EXPIRED: 'its certificate has expired',
  };
  const known = words[code];
  if (known !== undefined) return known;
  const [first] = error instanceof AggregateError ? error.errors : [error.cause];
  return first === undefined || first === null ? error.message || code : networkReason(first);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function replyError(
  status: number,
  body: unknown,
  retryAfter: string | string[] | undefined,
  server: string,
) {
  if (!Value.Check(ErrorReply, body) || !isErrorCode(body.error.code)) {
    return new MeetError('server-unreachable', `${server} answered with HTTP status ${status}.`);
  }
  const { code, message, hint } = body.error;
  const seconds = Number(retryAfter);
  return new MeetError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(Number.isFinite(seconds) ? { retryAfter: seconds } : {}),
  });
}

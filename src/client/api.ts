/** The REST calls that a client makes; every reply is checked against the protocol's schemas. */
import Type, { type Static, type TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { request } from 'undici';
import { isErrorCode, MeetError } from '../protocol/errors.ts';
import { MEETING_ID_PATTERN, MeetingInfo } from '../protocol/model.ts';
import {
  type CreateMeetingBody,
  CreateMeetingReply,
  ErrorReply,
  type JoinBody,
  JoinReply,
} from '../protocol/rest.ts';

/** Longer than any healthy server takes, short enough that a script notices. */
const REQUEST_TIMEOUT_MS = 10_000;

export interface MeetingAddress {
  /** Base URL of the server, without a slash at its end. */
  readonly server: string;
  readonly meetingId: string;
}

/**
 * Finds server and id in what a user gives: `https://host/meetings/abc-defg-hij`, or an id and a server.
 *
 * @throws MeetError `bad-config` when it is neither, or an id comes without a server
 */
export function resolveMeeting(meeting: string, server?: string): MeetingAddress {
  if (/^https?:\/\//i.test(meeting)) {
    const url = URL.parse(meeting);
    const match = url?.pathname.match(/^(.*)\/meetings\/([^/]+)\/?$/);
    if (url && match?.[2] && new RegExp(MEETING_ID_PATTERN).test(match[2])) {
      return { server: `${url.origin}${match[1]}`, meetingId: match[2] };
    }
    throw new MeetError('bad-config', `${meeting} is not a meeting's URL.`, {
      hint: 'A meeting\'s URL ends in "/meetings/" and its id.',
    });
  }
  if (!new RegExp(MEETING_ID_PATTERN).test(meeting)) {
    throw new MeetError('bad-config', `"${meeting}" is neither a meeting's URL nor a meeting id.`);
  }
  if (server === undefined) {
    throw new MeetError('bad-config', 'A meeting id needs a server.', {
      hint: 'Give the whole URL, or --server URL, or set MEET_SERVER.',
    });
  }
  return { server: serverUrl(server), meetingId: meeting };
}

/** Checks a server's base URL and takes a slash off its end. */
export function serverUrl(server: string): string {
  const url = URL.parse(server);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new MeetError('bad-config', `"${server}" is not the URL of a server.`, {
      hint: 'It looks like http://host:port or https://host.',
    });
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

interface Call<T extends TSchema> {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  readonly body?: unknown;
  readonly reply: T;
  readonly signal?: AbortSignal | undefined;
}

async function call<T extends TSchema>(server: string, options: Call<T>): Promise<Static<T>> {
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

async function send(server: string, { method, path, token, body, signal }: Call<TSchema>) {
  try {
    const reply = await request(`${server}${path}`, {
      method,
      headers: {
        accept: 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout: REQUEST_TIMEOUT_MS,
      signal: signal ?? null,
    });
    return { statusCode: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new MeetError('server-unreachable', `No answer from ${server}: ${networkReason(cause)}.`, {
      cause,
      hint: 'Is the server running, and the URL right?',
    });
  }
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

/** `POST /meetings`. A token of an earlier meeting keeps the same user as its host. */
export function createMeeting(
  server: string,
  body: CreateMeetingBody,
  options: { token?: string; signal?: AbortSignal } = {},
): Promise<CreateMeetingReply> {
  return call(server, { method: 'POST', path: '/meetings', body, reply: CreateMeetingReply, ...options });
}

/** `GET /meetings/:id`. */
export function getMeeting(address: MeetingAddress, signal?: AbortSignal): Promise<MeetingInfo> {
  return call(address.server, {
    method: 'GET',
    path: `/meetings/${address.meetingId}`,
    reply: MeetingInfo,
    signal,
  });
}

/** `POST /meetings/:id/join`. */
export function requestJoin(
  address: MeetingAddress,
  body: JoinBody,
  options: { token?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<JoinReply> {
  return call(address.server, {
    method: 'POST',
    path: `/meetings/${address.meetingId}/join`,
    body,
    reply: JoinReply,
    ...options,
  });
}

const Anything = Type.Unknown();

/** `DELETE /meetings/:id`: ends it for everybody. */
export async function endMeeting(address: MeetingAddress, hostToken: string): Promise<void> {
  await call(address.server, {
    method: 'DELETE',
    path: `/meetings/${address.meetingId}`,
    token: hostToken,
    reply: Anything,
  });
}

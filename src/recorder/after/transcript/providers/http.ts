/** Requests to providers of transcripts, and what their failures mean. */
import { Agent, type Dispatcher, request } from 'undici';
import { networkReason } from '../../../../client/rest.ts';
import { MeetError } from '../../../../protocol/errors.ts';

/** A model on a slow machine takes longer than the piece is; a server that is gone is noticed by its connection. */
const ANSWER_TIMEOUT_MS = 1_800_000;
/** Of a provider's own words. */
const MAX_REASON = 300;

export interface ProviderRequest {
  /** As a person knows the provider. */
  readonly provider: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Exclude<Dispatcher.DispatchOptions['body'], undefined>;
  readonly signal?: AbortSignal | undefined;
}

/** Idle connections do not keep the process. */
const agent = new Agent({
  headersTimeout: ANSWER_TIMEOUT_MS,
  bodyTimeout: ANSWER_TIMEOUT_MS,
  keepAliveTimeout: 1_000,
});

/**
 * Posts, and gives the answer's JSON.
 *
 * @throws MeetError `transcription-refused` where the request or its key is refused, `transcription-failed` for what may
 *   pass: too many requests, a server's error, no connection
 */
export async function postJson(options: ProviderRequest): Promise<unknown> {
  const { provider, url, headers, body, signal } = options;
  let status: number;
  let text: string;
  let retryAfter: number;
  try {
    const reply = await request(url, {
      method: 'POST',
      headers,
      body,
      dispatcher: agent,
      signal: signal ?? null,
    });
    status = reply.statusCode;
    retryAfter = Number(reply.headers['retry-after']);
    text = await reply.body.text();
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new MeetError('transcription-failed', `No answer from ${provider}: ${networkReason(cause)}.`, {
      cause,
    });
  }
  const value = parse(text);
  if (status >= 200 && status < 300 && value !== undefined) return value;
  if (status < 300) throw new MeetError('transcription-failed', `${provider} did not answer with JSON.`);
  const mayPass = status >= 500 || status === 408 || status === 409 || status === 429;
  const reason = reasonOf(value) ?? `HTTP status ${status}`;
  throw new MeetError(
    mayPass ? 'transcription-failed' : 'transcription-refused',
    `${provider} refused the speech: ${reason.slice(0, MAX_REASON).replace(/\.$/, '')}.`,
    Number.isFinite(retryAfter) ? { retryAfter } : {},
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `{error: {message}}`, as OpenAI and Google have it, or `{error: "…"}`. */
function reasonOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
  const { error } = value;
  if (typeof error === 'string') return error;
  const isObject = typeof error === 'object' && error !== null && 'message' in error;
  return isObject && typeof error.message === 'string' ? error.message : undefined;
}

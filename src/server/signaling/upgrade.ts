/** Where signaling connections come in: `WS /signaling/:meetingId`. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { type ErrorCode, MeetError } from '../../protocol/errors.ts';
import { MEETING_ID_PATTERN } from '../../protocol/model.ts';
import { CLOSE, MAX_MESSAGE_BYTES } from '../../protocol/signaling.ts';
import { bearerToken, noToken } from '../auth/bearer.ts';
import type { ServerConfig, ServerLogger } from '../config.ts';
import { addressKey, askedOrigin, clientAddress } from '../http/address.ts';
import { baseUrlOf } from '../http/base-url.ts';
import { endWithError } from '../http/errors.ts';
import type { Admission, MeetingService } from '../meetings/service.ts';
import { Connection, errorMessage } from './connection.ts';
import { TokenBuckets } from './rate.ts';

/** How long a client may take to answer a closing handshake before its socket is cut. */
const CLOSE_TIMEOUT_MS = 2_000;
const SOCKET_OPTIONS = {
  noServer: true,
  maxPayload: MAX_MESSAGE_BYTES,
  // Messages are small and few; a deflate context for each connection would cost 300 KB.
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
};
const PATH = /^\/signaling\/([^/]+)\/?$/;
/** RFC 6455 section 7.4.1: the server met something it did not expect. */
const INTERNAL_ERROR = 1011;

const CLOSE_CODES: Partial<Record<ErrorCode, number>> = {
  'server-stopping': CLOSE.serverStopping,
  unauthorized: CLOSE.unauthorized,
  'token-expired': CLOSE.unauthorized,
  'wrong-meeting': CLOSE.removed,
  removed: CLOSE.removed,
  blocked: CLOSE.removed,
  'meeting-not-found': CLOSE.meetingNotFound,
  'meeting-ended': CLOSE.meetingEnded,
  'rate-limited': CLOSE.rateLimited,
};

export interface SignalingOptions {
  readonly config: ServerConfig;
  readonly meetings: MeetingService;
  readonly logger: ServerLogger;
}

/** Takes the upgrades of an HTTP server. */
export class SignalingServer {
  readonly #options: SignalingOptions;
  readonly #sockets = new WebSocketServer(SOCKET_OPTIONS);
  readonly #upgrades: TokenBuckets | undefined;

  constructor(options: SignalingOptions) {
    this.#options = options;
    const { rateLimit } = options.config;
    if (rateLimit !== false) {
      const { requests, windowMs } = rateLimit;
      this.#upgrades = new TokenBuckets({ perSecond: (requests * 1000) / windowMs, burst: requests });
    }
  }

  listen(server: Server): void {
    server.on('upgrade', (request, socket, head) => {
      // Until ws takes the socket over nobody else listens, and an error without a listener ends the process.
      socket.on('error', () => socket.destroy());
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'Signaling connection not set up');
        socket.destroy();
      });
    });
  }

  /** Resolves when every connection is closed; who does not take part in the closing handshake is cut off. */
  async close(): Promise<void> {
    const open = [...this.#sockets.clients];
    await Promise.all(
      open.map((socket) => {
        if (socket.readyState === socket.CLOSED) return undefined;
        socket.close(CLOSE.serverStopping);
        return new Promise<void>((resolve) => socket.once('close', () => resolve()));
      }),
    );
  }

  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    const meetingId = url?.pathname.match(PATH)?.[1];
    if (url === null || meetingId === undefined) {
      endWithError(socket, new MeetError('not-found', 'There is no WebSocket here.'));
      return;
    }
    let admission: Admission | undefined;
    let refusal: MeetError | undefined;
    let after: number | undefined;
    try {
      const token = bearerToken(request.headers) ?? url.searchParams.get('token');
      admission = await this.#admit(meetingId, token, request);
      after = lastMessage(url.searchParams.get('after'));
    } catch (error) {
      refusal = MeetError.from(error);
      if (refusal.fault !== 'caller')
        this.#options.logger.warn({ err: error }, 'Signaling connection refused');
    }
    try {
      this.#connect(request, socket, head, { admission, refusal, after });
    } finally {
      // ws completes an upgrade, or refuses it, before handleUpgrade returns.
      admission?.release();
    }
  }

  async #admit(meetingId: string, token: string | null, request: IncomingMessage): Promise<Admission> {
    const { trustProxy } = this.#options.config;
    const address = addressKey(clientAddress(request, trustProxy));
    if (this.#upgrades?.take(address) === false) {
      throw new MeetError('rate-limited', 'Too many signaling connections.');
    }
    if (!new RegExp(MEETING_ID_PATTERN).test(meetingId)) {
      throw new MeetError('meeting-not-found', 'There is no such meeting.');
    }
    if (token === null || token === '') throw noToken();
    return this.#options.meetings.admit(meetingId, token, address);
  }

  #connect(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    {
      admission,
      refusal,
      after,
    }: { admission: Admission | undefined; refusal: MeetError | undefined; after: number | undefined },
  ): void {
    const { config, logger } = this.#options;
    this.#sockets.handleUpgrade(request, socket, head, (client) => {
      if (admission === undefined || admission.live.closed) {
        // Browsers see no HTTP status of a refused upgrade, but they see a message and a close code.
        const error = refusal ?? new MeetError('meeting-ended', 'The meeting has ended.');
        client.on('error', () => client.terminate());
        client.send(JSON.stringify(errorMessage(error)));
        client.close(CLOSE_CODES[error.code] ?? INTERNAL_ERROR, error.code);
        return;
      }
      const connection = new Connection(client, { timings: config.timings, logger });
      const { live, identity, tokenExpiresAt, address } = admission;
      const baseUrl = baseUrlOf(askedOrigin(request, config.trustProxy), config.publicUrl, live.baseUrl);
      live.attach(connection, { identity, tokenExpiresAt, address, baseUrl, after });
    });
  }
}

/** The number that a client gives; anything else is none. */
function lastMessage(text: string | null): number | undefined {
  const number = Number(text);
  return text !== null && /^\d+$/.test(text) && Number.isSafeInteger(number) ? number : undefined;
}

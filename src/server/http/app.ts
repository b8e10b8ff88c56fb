/** The HTTP side of the server: REST, the objects of the folder store, and the OpenAPI page. */
import { isUtf8 } from 'node:buffer';
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import rateLimit from '@fastify/rate-limit';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { MeetError } from '../../protocol/errors.ts';
import type { Tokens } from '../auth/tokens.ts';
import type { RateLimit, ServerConfig, ServerLogger } from '../config.ts';
import type { Files } from '../files/files.ts';
import type { MeetingService } from '../meetings/service.ts';
import { recordingNotFound } from '../recordings/access.ts';
import type { RecordingLibrary } from '../recordings/library.ts';
import type { Recordings } from '../recordings/recordings.ts';
import type { Store } from '../store/index.ts';
import type { ObjectLinks } from '../store/objects/index.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { compileCheck } from '../validation.ts';
import { addressKey } from './address.ts';
import { readTokens } from './authorization.ts';
import { answerClientError, answerError, handleErrors } from './errors.ts';
import { addHeaders } from './headers.ts';
import { describeApi } from './openapi.ts';
import { chatRoutes } from './routes/chat.ts';
import { fileRoutes } from './routes/files.ts';
import { healthRoutes } from './routes/health.ts';
import { meetingRoutes } from './routes/meetings.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { objectRoutes } from './routes/objects.ts';
import { recordingRoutes } from './routes/recordings.ts';

/** Bodies are a few hundred bytes; a title and a password have limits of their own. */
const MAX_BODY_BYTES = 64 * 1024;
/** Time for the header of a request to come in, and for a body of JSON: slow ones hold a socket for nothing. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Longer than the idle time of common proxies (60 s), so that they close first and never meet a closed socket. */
const KEEP_ALIVE_TIMEOUT_MS = 65_000;

export interface AppOptions {
  readonly config: ServerConfig;
  readonly meetings: MeetingService;
  readonly store: Store;
  readonly links: ObjectLinks;
  readonly metrics: Metrics;
  readonly files: Files;
  readonly recordings: Recordings;
  readonly library: RecordingLibrary;
  readonly tokens: Tokens;
  /** PEM; TLS 1.3 or newer only. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  /** Base URL where a request does not tell one. */
  readonly baseUrl: () => string;
  readonly logger: ServerLogger;
}

/** Puts the app together; it does not listen yet. */
export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, meetings, tokens, tls, logger } = options;
  const app: FastifyInstance = fastify(serverOptions(options));
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    const check = compileCheck(schema, httpPart === 'body' ? 'The body' : 'The request');
    return (value: unknown) => {
      // What a query says is text, whatever it stands for.
      const checked = check(httpPart === 'querystring' ? Value.Convert(schema, value) : value);
      return 'value' in checked ? checked : { error: validationError(httpPart, checked.problem) };
    };
  });
  limitBodyTime(app);
  readJson(app);
  handleErrors(app, logger);
  addHeaders(app, { tls: tls !== undefined });
  app.addHook('onRequest', async () => {
    if (meetings.stopping) throw new MeetError('server-stopping', 'The server is shutting down.');
  });
  readTokens(app, tokens);
  await limitRates(app, config.rateLimit);
  await describeApi(app);
  await app.register(healthRoutes, options);
  await app.register(metricsRoutes, options);
  await app.register(meetingRoutes, options);
  await app.register(chatRoutes, options);
  await app.register(fileRoutes, options);
  await app.register(recordingRoutes, options);
  await app.register(objectRoutes, options);
  return app;
}

function serverOptions({ config, tls, logger }: AppOptions): FastifyServerOptions {
  return {
    loggerInstance: logger as FastifyBaseLogger,
    // A URL may hold a token or a signature: requests are not logged, only what fails.
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: MAX_BODY_BYTES,
    // One proxy, the nearest: anything further away could have been written by the client.
    trustProxy: config.trustProxy && ((_address, hop) => hop === 0),
    return503OnClosing: false,
    // Errors that come before there is a route, such as a malformed path.
    frameworkErrors: (error, request, reply) => answerError(error, request, reply, logger),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 100 },
    serverFactory: (handler) => {
      const limits = {
        headersTimeout: REQUEST_TIMEOUT_MS,
        // Of files, which take their time; other bodies are timed by themselves.
        requestTimeout: 0,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        // Some HTTP clients offer h2c with every request; only WebSockets are upgraded.
        shouldUpgradeCallback: (request: { headers: { upgrade?: string } }) =>
          request.headers.upgrade?.toLowerCase() === 'websocket',
      };
      const server = tls
        ? createTlsServer({ ...limits, ...tls, minVersion: 'TLSv1.3' }, handler)
        : createServer(limits, handler);
      return server.on('clientError', answerClientError);
    },
  };
}

/** JSON is UTF-8 (RFC 8259 section 8.1); anything else would be read as something that nobody wrote. */
function readJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (isUtf8(body)) void parse(request, body.toString(), done);
    else done(new MeetError('bad-request', 'The body is not UTF-8.'));
  });
}

/** Cuts off who does not get a body of JSON through in time; an upload has a watch of its own. */
function limitBodyTime(app: FastifyInstance): void {
  app.addHook('preParsing', async (request, _reply, payload) => {
    if (request.isMultipart?.()) return payload;
    const { socket } = request.raw;
    const timer = setTimeout(() => socket.destroy(), REQUEST_TIMEOUT_MS);
    const stop = () => clearTimeout(timer);
    request.raw.once('close', stop).once('end', stop);
    return payload;
  });
}

function validationError(httpPart: string | undefined, problem: string): MeetError {
  // Text that cannot be a meeting's id names no meeting.
  if (httpPart === 'params') {
    return /recordingId/.test(problem)
      ? recordingNotFound()
      : new MeetError('meeting-not-found', 'There is no such meeting.');
  }
  return new MeetError('bad-request', problem);
}

/** A token's bearer has a budget of its own; everybody else shares that of the address. */
async function limitRates(app: FastifyInstance, limit: RateLimit | false): Promise<void> {
  const notFound = () => {
    throw new MeetError('not-found', 'There is nothing at this path.', {
      hint: 'GET /openapi.json lists what is.',
    });
  };
  if (limit === false) {
    app.setNotFoundHandler(notFound);
    return;
  }
  await app.register(rateLimit, {
    max: limit.requests,
    timeWindow: limit.windowMs,
    keyGenerator: ({ claims, ip }) => {
      if (claims === undefined || claims instanceof MeetError) return `address ${addressKey(ip)}`;
      return `token ${claims.kind === 'participant' ? claims.participantId : claims.userId}`;
    },
    errorResponseBuilder: (_request, { ttl }) =>
      new MeetError('rate-limited', 'Too many requests.', { retryAfter: Math.max(1, Math.ceil(ttl / 1000)) }),
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, notFound);
}

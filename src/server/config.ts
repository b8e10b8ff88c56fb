/** The server's configuration: checked once, frozen, then trusted everywhere. */
import { isIP } from 'node:net';
import type { Logger } from 'pino';
import { MeetError } from '../protocol/errors.ts';
import { HEARTBEAT_INTERVAL_MS, HEARTBEAT_TIMEOUT_MS, RESUME_WINDOW_MS } from '../protocol/signaling.ts';
import {
  parseRecordingConfig,
  type RecordingConfig,
  type RecordingServerOptions,
} from './recordings/config.ts';
import type { ListenAddress } from './sfu/index.ts';

/** All that the server's parts use of pino. */
export type ServerLogger = Logger;

export interface TurnConfig {
  /** `turn:` and `turns:` URLs (RFC 7065). */
  readonly urls: readonly string[];
  /** The secret shared with the TURN server (coturn's `static-auth-secret`). */
  readonly secret: string;
  /** How long credentials are good for, seconds. */
  readonly ttlSeconds: number;
}

export interface RateLimit {
  /** Requests that one address or one token's bearer may make in a window. */
  readonly requests: number;
  readonly windowMs: number;
}

export interface ChatRate {
  /** Messages a second that a participant may send. */
  readonly perSecond: number;
  /** And at once. */
  readonly burst: number;
}

/** Meetings that one user, or one address without a user, may create in a window. */
export interface CreateLimit {
  readonly count: number;
  readonly windowMs: number;
}

export interface FileLimits {
  /** `host:port` or path of the socket of clamd; `undefined` where there is no scanner. */
  readonly scanner: { readonly host: string; readonly port: number } | { readonly path: string } | undefined;
  /** Takes files that no scanner has seen, where it cannot be reached. */
  readonly allowUnscanned: boolean;
  /** Bytes. */
  readonly maxSize: number;
  /** Media types that are taken, such as `image/*`; `undefined` is all but programs. */
  readonly types: readonly string[] | undefined;
  readonly ttlMs: number;
}

export interface SignalingTimings {
  readonly heartbeatIntervalMs: number;
  readonly heartbeatTimeoutMs: number;
  /** How long a participant is kept whose signaling connection broke. */
  readonly resumeWindowMs: number;
}

/** What `meet serve` gives; everything but `dataDir` has a default. */
export interface ServerOptions {
  /**
   * Folder of the database, the token key, the server's id and, by default, the objects; created when it is not
   * there. Servers that share a PostgreSQL database have one each.
   */
  readonly dataDir: string;
  /** Address to listen on; default `0.0.0.0`. */
  readonly host?: string;
  /** 0 takes any free port; default 8080. */
  readonly port?: number;
  /** Base URL that clients reach the server by; default: what their requests say. */
  readonly publicUrl?: string;
  /** `postgres:` URL; default: SQLite in `dataDir`. */
  readonly databaseUrl?: string;
  /** `file:` or `s3:` URL of the object store; default: a folder in `dataDir`. */
  readonly objectsUrl?: string;
  /** Addresses for media; default: `host`, or every address of the machine where that is a wildcard. */
  readonly listen?: readonly ListenAddress[];
  readonly udpPort?: number;
  readonly tcpPort?: number;
  /** SFU workers; default one a core. */
  readonly workers?: number;
  readonly workerBin?: string;
  /** PEM files; both or neither. */
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  /** Take the client's address, scheme and host from the nearest proxy's `X-Forwarded-*` headers. */
  readonly trustProxy?: boolean;
  readonly turnUrls?: readonly string[];
  readonly turnSecret?: string;
  readonly turnTtlSeconds?: number;
  /** `false` turns the general limit off; default 100 requests a second. */
  readonly rateLimit?: RateLimit | false;
  /**
   * Signs tokens, base64 of 32 bytes or more; default: made once and kept, with PostgreSQL in the database, so that
   * its servers share it, else in `dataDir`.
   */
  readonly tokenKey?: string;
  /** What `/metrics` asks for as a bearer token; everybody may read them without one. */
  readonly metricsToken?: string;
  readonly tokenTtlMs?: number;
  readonly hostTokenTtlMs?: number;
  /** Who may create meetings: anybody, or who has a token; default `open`. */
  readonly auth?: 'open' | 'token';
  /** `false` turns it off; default 10 an hour. */
  readonly createLimit?: CreateLimit | false;
  /** `false` turns it off; default 5 a second, 20 at once. */
  readonly chatRate?: ChatRate | false;
  /** Where clamd listens, as `tcp://host:port` or `unix:/path`. */
  readonly clamdUrl?: string;
  readonly allowUnscanned?: boolean;
  /** Bytes of the largest file that is taken; default 100 MiB. */
  readonly maxFileSize?: number;
  /** Media types of the files that are taken; default all but programs. */
  readonly fileTypes?: readonly string[];
  /** How long files are kept; default 30 days. */
  readonly fileTtlMs?: number;
  /** How meetings are recorded; `false` is not at all. */
  readonly recordings?: RecordingServerOptions | false;
  readonly timings?: Partial<SignalingTimings>;
}

export interface ServerConfig {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly publicUrl: string | undefined;
  readonly databaseUrl: string | undefined;
  readonly objectsUrl: string | undefined;
  readonly listen: readonly ListenAddress[];
  readonly udpPort: number;
  readonly tcpPort: number;
  readonly workers: number | undefined;
  readonly workerBin: string | undefined;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly trustProxy: boolean;
  readonly turn: TurnConfig | undefined;
  readonly rateLimit: RateLimit | false;
  readonly tokenKey: Uint8Array | undefined;
  readonly metricsToken: string | undefined;
  readonly tokenTtlMs: number;
  readonly hostTokenTtlMs: number;
  readonly auth: 'open' | 'token';
  readonly createLimit: CreateLimit | false;
  readonly chatRate: ChatRate | false;
  readonly files: FileLimits;
  readonly recordings: RecordingConfig;
  readonly timings: SignalingTimings;
}

const DEFAULT_PORT = 8080;
/** Short, since a token cannot be taken back; clients get a new one at half of it. */
const DEFAULT_TOKEN_TTL_MS = 10 * 60_000;
const DEFAULT_HOST_TOKEN_TTL_MS = 30 * 24 * 3_600_000;
/** The draft (draft-uberti-behave-turn-rest-00 section 2.2) recommends one day. */
const DEFAULT_TURN_TTL_SECONDS = 86_400;
const DEFAULT_CREATE_LIMIT: CreateLimit = { count: 10, windowMs: 3_600_000 };
const DEFAULT_CHAT_RATE: ChatRate = { perSecond: 5, burst: 20 };
/** clamd's own default. */
const CLAMD_PORT = 3310;
const DEFAULT_MAX_FILE_SIZE = 100 * 1024 * 1024;
const DEFAULT_FILE_TTL_MS = 30 * 24 * 3_600_000;
const DEFAULT_RATE_LIMIT: RateLimit = { requests: 100, windowMs: 1_000 };
/** HS256 keys are as long as the hash or longer (RFC 7518 section 3.2). */
const MIN_KEY_BYTES = 32;
/** Largest delay of a Node timer. */
const MAX_TIMER_MS = 2_147_483_647;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws MeetError `bad-config` naming the option that cannot be used
 */
export function parseServerConfig(options: ServerOptions): ServerConfig {
  const host = options.host ?? '0.0.0.0';
  if (host === '') throw badConfig('The address to listen on is empty.', 'Give --host an address or a name.');
  if (options.dataDir === '') throw badConfig('The data directory is empty.', 'Give --data a folder.');
  const timings: SignalingTimings = {
    heartbeatIntervalMs:
      integer('The heartbeat interval', options.timings?.heartbeatIntervalMs, 10, MAX_TIMER_MS) ??
      HEARTBEAT_INTERVAL_MS,
    heartbeatTimeoutMs:
      integer('The heartbeat timeout', options.timings?.heartbeatTimeoutMs, 20, MAX_TIMER_MS) ??
      HEARTBEAT_TIMEOUT_MS,
    resumeWindowMs:
      integer('The resume window', options.timings?.resumeWindowMs, 0, MAX_TIMER_MS) ?? RESUME_WINDOW_MS,
  };
  return Object.freeze({
    dataDir: options.dataDir,
    host,
    port: integer('The port', options.port, 0, 65_535) ?? DEFAULT_PORT,
    publicUrl: publicUrl(options.publicUrl),
    databaseUrl: databaseUrl(options.databaseUrl),
    objectsUrl: options.objectsUrl,
    listen: Object.freeze(listenAddresses(options.listen, host)),
    udpPort: integer('The UDP port for media', options.udpPort, 0, 65_535) ?? 0,
    tcpPort: integer('The TCP port for media', options.tcpPort, 0, 65_535) ?? 0,
    workers: integer('The number of workers', options.workers, 1, 256),
    workerBin: options.workerBin,
    tls: tls(options),
    trustProxy: options.trustProxy ?? false,
    turn: turn(options),
    rateLimit: rateLimit(options.rateLimit),
    tokenKey: tokenKey(options.tokenKey),
    metricsToken: options.metricsToken,
    tokenTtlMs:
      integer('The lifetime of tokens', options.tokenTtlMs, 1_000, MAX_TIMER_MS) ?? DEFAULT_TOKEN_TTL_MS,
    hostTokenTtlMs:
      integer('The lifetime of host tokens', options.hostTokenTtlMs, 1_000, Number.MAX_SAFE_INTEGER) ??
      DEFAULT_HOST_TOKEN_TTL_MS,
    auth: options.auth ?? 'open',
    createLimit: createLimit(options.createLimit),
    chatRate: chatRate(options.chatRate),
    files: Object.freeze({
      scanner: scanner(options.clamdUrl),
      allowUnscanned: options.allowUnscanned ?? false,
      maxSize:
        integer('The largest size of files', options.maxFileSize, 1, Number.MAX_SAFE_INTEGER) ??
        DEFAULT_MAX_FILE_SIZE,
      types: fileTypes(options.fileTypes),
      ttlMs:
        integer('The time that files are kept', options.fileTtlMs, 1, Number.MAX_SAFE_INTEGER) ??
        DEFAULT_FILE_TTL_MS,
    }),
    recordings: parseRecordingConfig(options.recordings, options.dataDir),
    timings: Object.freeze(timings),
  });
}

function badConfig(message: string, hint?: string): MeetError {
  return new MeetError('bad-config', message, hint === undefined ? {} : { hint });
}

function integer(what: string, value: number | undefined, min: number, max: number): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < min || value > max) {
    throw badConfig(`${what} must be a whole number from ${min} to ${max}, not ${value}.`);
  }
  return value;
}

function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (
    !url ||
    (url.protocol !== 'http:' && url.protocol !== 'https:') ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw badConfig(
      `"${text}" cannot be the server's public URL.`,
      'It looks like https://meet.example.org.',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function databaseUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const protocol = URL.parse(text)?.protocol;
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    // The URL itself may hold a password and is not repeated.
    throw badConfig(
      'The database URL is not one of PostgreSQL.',
      'It looks like postgres://user:password@host/database.',
    );
  }
  return text;
}

function listenAddresses(given: readonly ListenAddress[] | undefined, host: string): ListenAddress[] {
  if (given !== undefined && given.length > 0) {
    for (const { ip } of given) {
      if (isIP(ip) === 0) throw badConfig(`"${ip}" is not an IP address to take media on.`);
    }
    return given.map((address) => Object.freeze({ ...address }));
  }
  // The SFU turns a wildcard into the machine's addresses.
  if (host === '::') return [{ ip: '0.0.0.0' }, { ip: '::' }];
  if (isIP(host) !== 0) return [{ ip: host }];
  return [{ ip: host === 'localhost' ? '127.0.0.1' : '0.0.0.0' }];
}

/** An address that stands for all of the machine's. */
export function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function tls({ tlsCert, tlsKey }: ServerOptions): ServerConfig['tls'] {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw badConfig('TLS needs a certificate and its key.', 'Give both --tls-cert and --tls-key.');
  }
  return Object.freeze({ certFile: tlsCert, keyFile: tlsKey });
}

function turn({ turnUrls, turnSecret, turnTtlSeconds }: ServerOptions): TurnConfig | undefined {
  if (turnUrls === undefined || turnUrls.length === 0) {
    if (turnSecret !== undefined)
      throw badConfig('A TURN secret needs TURN servers.', 'Give --turn their URLs.');
    return undefined;
  }
  if (turnSecret === undefined || turnSecret === '') {
    throw badConfig(
      'TURN servers need a secret.',
      'Give --turn-secret what the TURN server has as its static secret.',
    );
  }
  for (const url of turnUrls) {
    if (!/^turns?:[^\s?]+(\?transport=(udp|tcp))?$/.test(url)) {
      throw badConfig(
        `"${url}" is not the URL of a TURN server.`,
        'It looks like turn:host:3478?transport=udp.',
      );
    }
  }
  const ttlSeconds = integer('The lifetime of TURN credentials', turnTtlSeconds, 60, 31_536_000);
  return Object.freeze({
    urls: Object.freeze([...turnUrls]),
    secret: turnSecret,
    ttlSeconds: ttlSeconds ?? DEFAULT_TURN_TTL_SECONDS,
  });
}

function rateLimit(limit: RateLimit | false | undefined): RateLimit | false {
  if (limit === false) return false;
  if (limit === undefined) return DEFAULT_RATE_LIMIT;
  integer('The rate limit', limit.requests, 1, Number.MAX_SAFE_INTEGER);
  integer('The window of the rate limit', limit.windowMs, 1, MAX_TIMER_MS);
  return Object.freeze({ ...limit });
}

function tokenKey(text: string | undefined): Uint8Array | undefined {
  if (text === undefined) return undefined;
  const key = Buffer.from(text, 'base64');
  if (key.length < MIN_KEY_BYTES || !/^[A-Za-z0-9+/_-]+=*$/.test(text)) {
    throw badConfig(
      `The token key must be base64 of at least ${MIN_KEY_BYTES} bytes.`,
      'Make one with: openssl rand -base64 32',
    );
  }
  return key;
}

function createLimit(limit: CreateLimit | false | undefined): CreateLimit | false {
  if (limit === undefined || limit === false) return limit ?? DEFAULT_CREATE_LIMIT;
  integer('The limit of meetings created', limit.count, 1, Number.MAX_SAFE_INTEGER);
  integer('The window of that limit', limit.windowMs, 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze({ ...limit });
}

function chatRate(rate: ChatRate | false | undefined): ChatRate | false {
  if (rate === undefined || rate === false) return rate ?? DEFAULT_CHAT_RATE;
  if (!(rate.perSecond > 0)) throw badConfig('The rate of messages must be more than 0.');
  integer('The burst of messages', rate.burst, 1, Number.MAX_SAFE_INTEGER);
  return Object.freeze({ ...rate });
}

function scanner(text: string | undefined): FileLimits['scanner'] {
  if (text === undefined) return undefined;
  const path = /^unix:(?:\/\/)?(\/.+)$/.exec(text)?.[1];
  if (path !== undefined) return Object.freeze({ path });
  const url = URL.parse(text);
  if (url?.protocol !== 'tcp:' || url.hostname === '') {
    throw badConfig(
      `"${text}" is not the URL of clamd.`,
      'It looks like tcp://127.0.0.1:3310 or unix:/run/clamd.sock.',
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return Object.freeze({ host, port: url.port === '' ? CLAMD_PORT : Number(url.port) });
}

function fileTypes(types: readonly string[] | undefined): readonly string[] | undefined {
  const wrong = types?.find((type) => !/^[a-z]+\/(\*|[a-z0-9.+-]+)$/.test(type));
  if (wrong !== undefined)
    throw badConfig(`"${wrong}" is not a media type.`, 'It looks like image/* or application/pdf.');
  return types && Object.freeze([...types]);
}

import { setFlagsFromString } from 'node:v8';
import { Option } from 'commander';
import type { AccessScope, LayoutName } from '../../protocol/recording.ts';
import type { OutputOptions } from '../context.ts';
import {
  parseAddresses,
  parseChatRate,
  parseCount,
  parseCreateLimit,
  parseDuration,
  parseList,
  parsePort,
  parseRateLimit,
  parseSize,
  parseTtl,
} from '../parse.ts';
import type { Registry } from '../program.ts';
import { LAYOUTS, type PictureSize, parsePictureSize } from '../record/options.ts';
import { defaultDataDir } from '../settings.ts';
import { SCOPES } from './recording.ts';

export interface ServeOptions extends OutputOptions {
  readonly host?: string;
  readonly port?: number;
  readonly data: string;
  readonly publicUrl?: string;
  readonly databaseUrl?: string;
  readonly objects?: string;
  readonly rtcPort?: number;
  readonly rtcAddress?: string[];
  readonly announcedAddress?: string;
  readonly workers?: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly trustProxy?: boolean;
  readonly turn?: string[];
  readonly turnSecret?: string;
  readonly turnTtl?: number;
  readonly rateLimit?: number | false;
  readonly tokenKey?: string;
  readonly metricsToken?: string;
  readonly tokenTtl?: number;
  readonly auth?: 'open' | 'token';
  readonly createLimit?: { readonly count: number; readonly windowMs: number } | false;
  readonly chatRate?: { readonly perSecond: number; readonly burst: number } | false;
  readonly clamd?: string;
  readonly allowUnscanned?: boolean;
  readonly maxFileSize?: number;
  readonly fileTypes?: string[];
  readonly fileTtl?: number;
  /** `false` where nothing is to be recorded. */
  readonly recording?: boolean;
  readonly recordings?: string;
  readonly recordingLayout?: LayoutName;
  readonly recordingSize?: PictureSize;
  readonly recordingAccess?: AccessScope;
  readonly recordingTtl?: number;
  readonly recordingWebhook?: string;
  readonly recordingWebhookSecret?: string;
  readonly logLevel: string;
}

/** `--data DIR`, which serve writes to and doctor looks at. */
export function dataOption(description: string): Option {
  return new Option('--data <dir>', description)
    .env('MEET_DATA')
    .default(defaultDataDir, "this user's data folder");
}

export function registerServe({ command, action }: Registry): void {
  const env = (flags: string, description: string, variable: string) =>
    new Option(flags, description).env(variable);
  const serve = command('serve', 'host meetings')
    .addOption(env('--host <address>', 'address to listen on (default: all)', 'MEET_HOST'))
    .addOption(
      env('--port <port>', 'HTTP port, 0 for any free one (default: 8080)', 'MEET_PORT').argParser(parsePort),
    )
    .addOption(dataOption('folder for the database, keys and objects'))
    .addOption(env('--public-url <url>', 'URL under which others reach this server', 'MEET_PUBLIC_URL'))
    .addOption(env('--database-url <url>', 'PostgreSQL instead of SQLite', 'DATABASE_URL'))
    .addOption(
      env('--objects <url>', 'folder or s3://bucket/prefix for recordings and files', 'MEET_OBJECTS'),
    )
    .addOption(
      env(
        '--rtc-port <port>',
        'UDP and TCP port for media of the first worker, the next one above it',
        'MEET_RTC_PORT',
      ).argParser(parsePort),
    )
    .addOption(
      env(
        '--rtc-address <ip,…>',
        'addresses to take media on (default: all of this machine)',
        'MEET_RTC_ADDRESS',
      ).argParser(parseAddresses),
    )
    .addOption(
      env(
        '--announced-address <address>',
        'address that clients send media to, when it is not one of this machine',
        'MEET_ANNOUNCED_ADDRESS',
      ),
    )
    .addOption(
      env('--workers <n>', 'SFU workers (default: one a core)', 'MEET_WORKERS').argParser(parseCount(1, 256)),
    )
    .addOption(env('--tls-cert <file>', 'serve HTTPS (TLS 1.3) with this certificate chain', 'MEET_TLS_CERT'))
    .addOption(env('--tls-key <file>', "the certificate's key", 'MEET_TLS_KEY'))
    .option('--trust-proxy', 'believe X-Forwarded-* of the reverse proxy in front')
    .addOption(
      env('--turn <url,…>', 'TURN servers for clients behind firewalls', 'MEET_TURN').argParser(parseList),
    )
    .addOption(env('--turn-secret <secret>', "the TURN servers' shared secret", 'MEET_TURN_SECRET'))
    .addOption(
      env(
        '--turn-ttl <time>',
        'how long TURN credentials are good for (default: 24h)',
        'MEET_TURN_TTL',
      ).argParser(parseDuration),
    )
    .addOption(
      env(
        '--rate-limit <n|off>',
        'requests a second for each address and token (default: 100)',
        'MEET_RATE_LIMIT',
      ).argParser(parseRateLimit),
    )
    .addOption(
      env(
        '--token-key <base64>',
        'key that signs tokens, for servers that share a database',
        'MEET_TOKEN_KEY',
      ),
    )
    .addOption(
      env(
        '--token-ttl <time>',
        "how long a participant's token is good for (default: 10m)",
        'MEET_TOKEN_TTL',
      ).argParser(parseDuration),
    )
    .addOption(
      env('--metrics-token <token>', 'what /metrics asks for as a bearer token', 'MEET_METRICS_TOKEN'),
    )
    .addOption(
      env('--auth <who>', 'who may create meetings: open is anybody (default: open)', 'MEET_AUTH').choices([
        'open',
        'token',
      ]),
    )
    .addOption(
      env(
        '--create-limit <n/h|off>',
        'meetings that one user or address may create (default: 10/h)',
        'MEET_CREATE_LIMIT',
      ).argParser(parseCreateLimit),
    )
    .addOption(
      env(
        '--chat-rate <n/burst|off>',
        'messages a second that a participant may send, and at once (default: 5/20)',
        'MEET_CHAT_RATE',
      ).argParser(parseChatRate),
    )
    .addOption(
      env(
        '--clamd <url>',
        'clamd that looks for viruses in files: tcp://host:port or unix:/path',
        'CLAMD_URL',
      ),
    )
    .option('--allow-unscanned', 'take files also while no clamd can be asked')
    .addOption(
      env(
        '--max-file-size <size>',
        'largest file in the chat (default: 100MB)',
        'MEET_MAX_FILE_SIZE',
      ).argParser(parseSize),
    )
    .addOption(
      env(
        '--file-types <type,…>',
        'media types of files that are taken, as image/* (default: all but programs)',
        'MEET_FILE_TYPES',
      ).argParser(parseList),
    )
    .addOption(
      env('--file-ttl <time>', 'how long files are kept (default: 30d)', 'MEET_FILE_TTL').argParser(parseTtl),
    )
    .addOption(new Option('--no-recording', 'record no meetings'))
    .addOption(
      env('--recordings <dir>', 'folder for recordings (default: in the data folder)', 'MEET_RECORDINGS'),
    )
    .addOption(
      env(
        '--recording-layout <layout>',
        'layout of recordings unless told otherwise (default: gallery)',
        'MEET_RECORDING_LAYOUT',
      ).choices(LAYOUTS),
    )
    .addOption(
      env(
        '--recording-size <size>',
        'size of recordings unless told otherwise (default: 1280x720)',
        'MEET_RECORDING_SIZE',
      ).argParser(parsePictureSize),
    )
    .addOption(
      env(
        '--recording-access <who>',
        'who may see recordings unless told otherwise (default: hosts)',
        'MEET_RECORDING_ACCESS',
      ).choices(SCOPES),
    )
    .addOption(
      env(
        '--recording-ttl <time>',
        'how long recordings are kept (default: 365d)',
        'MEET_RECORDING_TTL',
      ).argParser(parseTtl),
    )
    .addOption(
      env('--recording-webhook <url>', 'where events of recordings are sent to', 'MEET_RECORDING_WEBHOOK'),
    )
    .addOption(
      env('--recording-webhook-secret <secret>', 'signs what is sent there', 'MEET_RECORDING_WEBHOOK_SECRET'),
    )
    .addOption(
      new Option('--log-level <level>', 'what to log')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .default('warn')
        .env('MEET_LOG_LEVEL'),
    );
  action<ServeOptions>(serve, async (deps, options) => {
    // Media passes through the workers; what is left for this process is little, but for a long time. V8 otherwise lets
    // the heap grow until it is worth a collection: 150 MB after 50 participants had come and gone and 190 MB after
    // 200, against 117 and 125 MB with this, for a tenth more CPU.
    setFlagsFromString('--optimize-for-size');
    const { runServe } = await import('../serve.ts');
    return await runServe(deps, options);
  });
}

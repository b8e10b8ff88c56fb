import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../package-root.ts';
import { EXIT } from '../protocol/errors.ts';
import type { ServerOptions } from '../server/config.ts';
import { startServer } from '../server/server.ts';
import type { ListenAddress } from '../server/sfu/index.ts';
import type { ServeOptions } from './commands/serve.ts';
import type { CliContext } from './context.ts';
import { openLog } from './log.ts';
import type { Output } from './output.ts';
import { outOfReach, provide } from './worker.ts';

interface Deps {
  readonly context: CliContext;
  readonly output: Output;
}

/** Variables of the server itself, and those by which a launcher ends what it has started. */
const NOT_FOR_RECORDERS =
  /^(npm_command|MEET_LAUNCHED|DATABASE_URL|MEET_(TOKEN_KEY|METRICS_TOKEN|TURN_SECRET|RECORDING_WEBHOOK(_SECRET)?|NAME|PASSWORD|SERVER))$/;

/** Hosts meetings until it is told to stop. */
export async function runServe({ context, output }: Deps, options: ServeOptions): Promise<number> {
  const logger = openLog(context, options.quiet ? 'error' : options.logLevel);
  const workerBin = outOfReach(context, await provide(context, output));
  const recordings = recordingOptions(context, options);
  const server = await startServer({ ...serverOptions(options), recordings, workerBin }, { logger });
  output.event('listening', { url: server.url, pid: process.pid });
  output.line(`Listening on ${server.url}`);
  output.line(`Create a meeting: meet create --server ${server.url}`);
  const reason = await stopRequested(context.interrupted);
  output.line('Stopping: participants are told, streams end …');
  await server.close({ reason: 'server-stopping' });
  output.event('stopped', { reason });
  return EXIT.done;
}

function stopRequested(interrupted: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (interrupted.aborted) resolve(String(interrupted.reason));
    else interrupted.addEventListener('abort', () => resolve(String(interrupted.reason)), { once: true });
  });
}

/** The server's options from the command's. */
export function serverOptions(options: ServeOptions): ServerOptions {
  const given = <K extends keyof ServerOptions>(key: K, value: ServerOptions[K] | undefined) =>
    value === undefined ? {} : { [key]: value };
  return {
    dataDir: path.resolve(options.data),
    ...given('host', options.host),
    ...given('port', options.port),
    ...given('publicUrl', options.publicUrl),
    ...given('databaseUrl', options.databaseUrl),
    ...given('objectsUrl', options.objects),
    ...given('udpPort', options.rtcPort),
    ...given('tcpPort', options.rtcPort),
    ...given('listen', listenAddresses(options)),
    ...given('workers', options.workers),
    ...given('tlsCert', options.tlsCert),
    ...given('tlsKey', options.tlsKey),
    ...given('trustProxy', options.trustProxy),
    ...given('turnUrls', options.turn),
    ...given('turnSecret', options.turnSecret),
    ...given(
      'turnTtlSeconds',
      options.turnTtl === undefined ? undefined : Math.round(options.turnTtl / 1000),
    ),
    ...given('rateLimit', rateLimit(options)),
    ...given('tokenKey', options.tokenKey),
    ...given('tokenTtlMs', options.tokenTtl),
    ...given('metricsToken', options.metricsToken),
    ...given('auth', options.auth),
    ...given('createLimit', options.createLimit),
    ...given('chatRate', options.chatRate),
    ...given('clamdUrl', options.clamd),
    ...given('allowUnscanned', options.allowUnscanned),
    ...given('maxFileSize', options.maxFileSize),
    ...given('fileTypes', options.fileTypes),
    ...given('fileTtlMs', options.fileTtl),
  };
}

/** Recorders are this command line in processes of their own. */
function recordingOptions(
  { env }: CliContext,
  options: ServeOptions,
): NonNullable<ServerOptions['recordings']> | false {
  if (options.recording === false) return false;
  // They are to outlive the server, whoever started it, and to know nothing of its secrets.
  const kept = Object.entries(env).filter(([name]) => !NOT_FOR_RECORDERS.test(name));
  const given = {
    dir: options.recordings === undefined ? undefined : path.resolve(options.recordings),
    layout: options.recordingLayout,
    size: options.recordingSize && `${options.recordingSize.width}x${options.recordingSize.height}`,
    access: options.recordingAccess,
    ttlMs: options.recordingTtl,
    webhookUrl: options.recordingWebhook,
    webhookSecret: options.recordingWebhookSecret,
  };
  return {
    command: [process.execPath, path.join(PACKAGE_ROOT, 'bin', 'meet.js')],
    env: Object.fromEntries(kept),
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  };
}

/** The addresses for media; an announced address stands for all of its family. */
function listenAddresses({ rtcAddress, announcedAddress }: ServeOptions): ListenAddress[] | undefined {
  if (rtcAddress === undefined && announcedAddress === undefined) return undefined;
  if (announcedAddress === undefined) return rtcAddress?.map((ip) => ({ ip }));
  const family = isIP(announcedAddress) || 4;
  if (rtcAddress === undefined) {
    // Machines in the same network, and programs on this one, still use the real addresses.
    const local = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter((address) => address.scopeid === undefined || address.scopeid === 0)
      .map(({ address }) => ({ ip: address }));
    return [...local, { ip: family === 6 ? '::' : '0.0.0.0', announcedAddress }];
  }
  return rtcAddress.map((ip) => (isIP(ip) === family ? { ip, announcedAddress } : { ip }));
}

function rateLimit({ rateLimit: requests }: ServeOptions): ServerOptions['rateLimit'] {
  if (requests === undefined || requests === false) return requests;
  return { requests, windowMs: 1_000 };
}

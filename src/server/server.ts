/** Puts the server's parts together, starts them in order and stops them in reverse. */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { MeetError } from '../protocol/errors.ts';
import { AuditLog } from './audit/audit-log.ts';
import { loadTokenKey } from './auth/key.ts';
import { Tokens } from './auth/tokens.ts';
import { Chat } from './chat/chat.ts';
import { ChatLog } from './chat/chat-log.ts';
import { chatMessage } from './chat/wire.ts';
import { openLiveState } from './cluster/index.ts';
import {
  isWildcard,
  parseServerConfig,
  type ServerConfig,
  type ServerLogger,
  type ServerOptions,
} from './config.ts';
import { Files } from './files/files.ts';
import { createApp } from './http/app.ts';
import { MeetingService } from './meetings/service.ts';
import { MeetingSignals } from './meetings/signals.ts';
import { FOLDER_MOUNT, RecordingLibrary } from './recordings/library.ts';
import { Messenger } from './recordings/messenger.ts';
import { Recordings } from './recordings/recordings.ts';
import { WebhookSender } from './recordings/webhooks.ts';
import { Sfu } from './sfu/index.ts';
import { SignalingServer } from './signaling/upgrade.ts';
import {
  FolderObjectStore,
  loadServerId,
  ObjectLinks,
  type ObjectStore,
  openObjectStore,
  openStore,
} from './store/index.ts';
import { Metrics } from './telemetry/metrics.ts';

export interface RunningServer {
  /** Where this machine reaches it, without a slash at its end. */
  readonly url: string;
  readonly port: number;
  /** The SFU, for its workers' figures. */
  readonly sfu: Sfu;
  /** Where chat files and recordings are. */
  readonly objects: ObjectStore;
  /** The chat's, for sweeping them at once. */
  readonly files: Files;
  /** Recordings, for sweeping them at once. */
  readonly library: RecordingLibrary;
  /** How clients get at them. */
  readonly links: ObjectLinks;
  /**
   * Tells the participants, ends their streams, writes down what happened and stops; may be called twice.
   * `reason` is for the log.
   */
  close(options?: { reason?: string }): Promise<void>;
}

/**
 * Starts a server and resolves once it takes connections.
 *
 * @throws MeetError `port-in-use`, `no-permission`, `bad-config`, `disk-full`, `storage-failed`, `worker-missing`
 */
export async function startServer(
  options: ServerOptions,
  { logger }: { logger: ServerLogger },
): Promise<RunningServer> {
  const config = parseServerConfig(options);
  const cleanup: (() => Promise<void> | void)[] = [];
  const closeAll = async () => {
    for (const close of cleanup.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        logger.error({ err: error }, 'Part of the server did not stop cleanly');
      }
    }
  };
  try {
    return await assemble(config, logger, cleanup, closeAll);
  } catch (error) {
    await closeAll();
    throw startError(error, config);
  }
}

async function assemble(
  config: ServerConfig,
  logger: ServerLogger,
  cleanup: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<RunningServer> {
  const tls = config.tls && {
    cert: await readPem(config.tls.certFile),
    key: await readPem(config.tls.keyFile),
  };
  const { databaseUrl, dataDir } = config;
  // The workers take longest to start; they do so while the database opens.
  const sfuStarting = startSfu(config, logger);
  sfuStarting.catch(() => {});
  cleanup.push(async () => (await sfuStarting.catch(() => undefined))?.close());
  const store = await openStore(databaseUrl === undefined ? { dataDir } : { databaseUrl }, logger);
  cleanup.push(() => store.close());
  const serverId = await loadServerId(dataDir);
  const key = config.tokenKey ?? (await loadTokenKey(dataDir, store));
  const tokens = new Tokens(key, { ttlMs: config.tokenTtlMs, hostTtlMs: config.hostTokenTtlMs });
  const secret = createHmac('sha256', key).update('signed object URLs').digest('base64url');
  const objects = await openObjectStore(config.objectsUrl ?? join(dataDir, 'objects'), { secret });
  cleanup.push(() => objects.close());
  const recorded = await FolderObjectStore.open(config.recordings.dir, { secret });
  const links = new ObjectLinks(objects, { secret, mounts: { [FOLDER_MOUNT]: recorded } });
  const sfu = await sfuStarting;
  const metrics = new Metrics({ sfu, logger });
  cleanup.push(() => metrics.close());

  let url = '';
  const baseUrl = () => config.publicUrl ?? url;
  const live = await openLiveState({}, logger);
  cleanup.push(() => live.close());
  const signals = new MeetingSignals({ live, logger });
  const log = new ChatLog({
    store,
    onStored: (meetingId, messages) =>
      signals.send(meetingId, { type: 'chat', messages: messages.map(chatMessage) }),
  });
  const chat = new Chat({ store, log, rate: config.chatRate });
  const audit = new AuditLog(store);
  const { webhook } = config.recordings;
  const webhooks = webhook && new WebhookSender({ ...webhook, store, logger });
  cleanup.push(() => webhooks?.close());
  const shared = { config: config.recordings, store, live, serverId, logger };
  const library = new RecordingLibrary({ ...shared, objects, links });
  cleanup.push(() => library.close());
  const sign = library.sign.bind(library);
  const messenger = new Messenger({ store, log, webhooks, sign, baseUrl, logger });
  const recordings = new Recordings({
    ...{ ...shared, objects, signals, tokens, messenger },
    objectsUrl: config.objectsUrl,
    // A certificate is for the public name.
    localUrl: () => (config.tls === undefined ? url : baseUrl()),
  });
  cleanup.push(() => recordings.close());
  const meetings = new MeetingService({
    ...{ config, store, serverId, sfu, tokens, live, signals, chat, audit, recordings, baseUrl, logger },
  });
  const { files: limits } = config;
  const files = await Files.open({ limits, dataDir, store, objects, links, live, serverId, logger });
  cleanup.push(() => files.close());
  const app = await createApp({
    config,
    meetings,
    store,
    links,
    metrics,
    files,
    recordings,
    library,
    tokens,
    tls,
    baseUrl,
    logger,
  });
  cleanup.push(() => app.close());
  const signaling = new SignalingServer({ config, meetings, logger });
  signaling.listen(app.server);
  // Only who has the port may touch what another server on the same data wrote about those in its meetings.
  const port = await listen(app, config);
  url = localUrl(config, port);
  cleanup.push(() => signaling.close());
  cleanup.push(() => meetings.close());
  // Messages that were taken are stored before their senders are told that the server stops.
  cleanup.push(() => log.flush());
  await files.start();
  await recordings.restore();
  await meetings.restore();
  library.start();
  webhooks?.start();
  logger.info({ url }, 'Server is listening');

  let closed: Promise<void> | undefined;
  return {
    url,
    port,
    sfu,
    objects,
    files,
    library,
    links,
    close: ({ reason = 'asked to' } = {}) => {
      closed ??= (async () => {
        logger.info({ reason }, 'Server is stopping');
        await closeAll();
        logger.info('Server has stopped');
      })();
      return closed;
    },
  };
}

function startSfu(config: ServerConfig, logger: ServerLogger): Promise<Sfu> {
  const { listen, udpPort, tcpPort, workers, workerBin } = config;
  return Sfu.start({
    listen,
    udpPort,
    tcpPort,
    logger,
    ...(workers === undefined ? {} : { numWorkers: workers }),
    ...(workerBin === undefined ? {} : { workerBin }),
  });
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new MeetError('bad-config', `The TLS file ${file} cannot be read.`, { cause });
  }
}

async function listen(app: FastifyInstance, { host, port }: ServerConfig): Promise<number> {
  await app.listen({ host, port });
  return (app.server.address() as AddressInfo).port;
}

function localUrl({ host, tls }: ServerConfig, port: number): string {
  const name = isWildcard(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `${tls === undefined ? 'http' : 'https'}://${name}:${port}`;
}

function startError(error: unknown, { host, port, dataDir }: ServerConfig): unknown {
  if (error instanceof MeetError || !(error instanceof Error)) return error;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    return new MeetError('port-in-use', `Port ${port} is taken by another process.`, {
      cause: error,
      hint: 'Choose another one with --port, or stop that process.',
    });
  }
  if (syscall === 'listen' || syscall === 'getaddrinfo') {
    if (code === 'EACCES' || code === 'EPERM') {
      return new MeetError('no-permission', `This user may not listen on port ${port}.`, {
        cause: error,
        hint: 'Choose a port above 1023.',
      });
    }
    return new MeetError('bad-config', `The server cannot listen on ${host} (${code}).`, {
      cause: error,
      hint: 'Give --host an address of this machine.',
    });
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return new MeetError('no-permission', `The data folder ${dataDir} cannot be written (${code}).`, {
      cause: error,
    });
  }
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MeetError('disk-full', `There is no space left in ${dataDir}.`, { cause: error });
  }
  if (code?.startsWith('ERR_OSSL') || code?.startsWith('ERR_SSL')) {
    return new MeetError('bad-config', 'The TLS certificate or key cannot be used.', { cause: error });
  }
  return error;
}

/** A real server for a test file: its own data folder, a free port, the real SFU worker. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import type { ServerOptions } from '../../src/server/config.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';

/** Loopback, one worker and no limits of rates. */
function testOptions(options: Partial<ServerOptions>, dataDir: string): ServerOptions {
  const workerBin = process.env.MEDIASOUP_WORKER_BIN;
  return {
    host: '127.0.0.1',
    port: 0,
    workers: 1,
    rateLimit: false,
    createLimit: false,
    ...(workerBin === undefined ? {} : { workerBin }),
    ...options,
    dataDir,
  };
}

export interface TestServer extends RunningServer {
  readonly dataDir: string;
}

/**
 * Starts it on loopback with one worker and no rate limit; `close()` also removes its data folder unless the test
 * gave one. `MEET_TEST_LOG=debug` shows what it logs.
 */
export async function startTestServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'meet-server-')));
  const removeData = async () => {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
  };
  const logger = pino({ level: process.env.MEET_TEST_LOG ?? 'silent' });
  try {
    const server = await startServer(testOptions(options, dataDir), { logger });
    return {
      ...server,
      dataDir,
      close: async (closing) => {
        await server.close(closing);
        await removeData();
      },
    };
  } catch (error) {
    await removeData();
    throw error;
  }
}

export interface ServerProcess {
  readonly url: string;
  /** When it is gone, by itself or killed. */
  readonly exited: Promise<unknown>;
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts one in a process of its own, with a data folder of the test's. */
export async function startServerProcess(
  options: Partial<ServerOptions> & { dataDir: string },
  { dieAt }: { dieAt?: { at: 'stored' | 'broadcast'; nth: number } } = {},
): Promise<ServerProcess> {
  const name = dieAt === undefined ? './server-process.ts' : './killed-server-process.ts';
  const script = fileURLToPath(new URL(name, import.meta.url));
  const words = dieAt === undefined ? [] : [dieAt.at, String(dieAt.nth)];
  const config = JSON.stringify(testOptions(options, options.dataDir));
  const child = spawn(process.execPath, [script, config, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const kill = async () => {
    child.kill('SIGKILL');
    await exited;
  };
  try {
    for await (const url of createInterface({ input: child.stdout })) return { url, exited, kill };
    throw new Error('The server ended before it was listening.');
  } catch (error) {
    await kill();
    throw error;
  }
}

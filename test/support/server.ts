/** A real server for a test file: its own data folder, a free port, the real SFU worker. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { ServerOptions } from '../../src/server/config.ts';
import { type RunningServer, startServer } from '../../src/server/server.ts';

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
  const workerBin = process.env.MEDIASOUP_WORKER_BIN;
  try {
    const server = await startServer(
      {
        host: '127.0.0.1',
        port: 0,
        workers: 1,
        rateLimit: false,
        ...(workerBin === undefined ? {} : { workerBin }),
        ...options,
        dataDir,
      },
      { logger: pino({ level: process.env.MEET_TEST_LOG ?? 'silent' }) },
    );
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

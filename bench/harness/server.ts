/** The server that a benchmark measures. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerOptions } from '../../src/server/config.ts';
import type { ServerRequests } from '../programs/server.ts';
import { Program, type ProgramOptions } from './program.ts';

export interface MeasuredServer {
  readonly url: string;
  readonly program: Program<ServerRequests>;
  /** The one SFU worker's process. */
  workerPid(): Promise<number>;
  /** URL of a new meeting. */
  newMeeting(): Promise<string>;
  close(): Promise<void>;
}

/** Starts a server on loopback with one worker and no rate limit; `close()` also removes its data. */
export async function startMeasuredServer(
  options: Partial<ServerOptions> = {},
  programOptions: ProgramOptions = {},
): Promise<MeasuredServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'meet-bench-'));
  const program = new Program<ServerRequests>('server', programOptions);
  const workerBin = process.env.MEDIASOUP_WORKER_BIN;
  const { url } = await program.ask('start', {
    dataDir,
    host: '127.0.0.1',
    port: 0,
    workers: 1,
    rateLimit: false,
    createLimit: false,
    ...(workerBin === undefined ? {} : { workerBin }),
    ...options,
  });
  return {
    url,
    program,
    workerPid: async () => (await program.ask('workerPids'))[0]!,
    newMeeting: () => program.ask('createMeeting'),
    close: async () => {
      await program.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

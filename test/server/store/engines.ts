/** The two engines that every test of the store runs against. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoreOptions } from '../../../src/server/store/index.ts';
import { postgresMissing, startPostgres } from '../../support/postgres.ts';

export interface Engine {
  name: 'sqlite' | 'postgres';
  /** Why it cannot be tested here. */
  missing: string | undefined;
  /** Starts what it needs; `fresh` makes a new, empty database each time. */
  start(): Promise<{ fresh(): Promise<StoreOptions>; stop(): Promise<void> }>;
}

export const silent = { info() {}, warn() {} };

export const engines: Engine[] = [
  {
    name: 'sqlite',
    missing: undefined,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'meet-store-'));
      let databases = 0;
      return {
        fresh: async () => ({ dataDir: join(folder, String(++databases)) }),
        stop: () => rm(folder, { recursive: true, force: true }),
      };
    },
  },
  {
    name: 'postgres',
    missing: postgresMissing(),
    async start() {
      const server = await startPostgres();
      return {
        fresh: async () => ({ databaseUrl: await server.createDatabase() }),
        stop: server.stop,
      };
    },
  },
];

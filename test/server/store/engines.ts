/** The two engines that every test of the store runs against. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StoreOptions } from '../../../src/server/store/index.ts';
import { postgresMissing, startPostgres } from '../../support/postgres.ts';

/** An engine that runs. */
export interface RunningEngine {
  readonly name: Engine['name'];
  /** Makes a new, empty database each time. */
  fresh(): Promise<StoreOptions>;
}

interface Engine {
  name: 'sqlite' | 'postgres';
  /** Why it cannot be tested here. */
  missing: string | undefined;
  start(): Promise<{ fresh(): Promise<StoreOptions>; stop(): Promise<void> }>;
}

/** A `MeetError` of this code. */
export const coded = (code: string) => expect.objectContaining({ name: 'MeetError', code });

export const silent = { info() {}, warn() {} };

const engines: Engine[] = [
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

/**
 * A suite for each engine; `{engine}` in the title stands for its name. `suite` declares tests, and gets the engine that
 * runs when they do.
 */
export function describeEngines(title: string, suite: (engine: RunningEngine) => void): void {
  describe.each(engines)(title.replace('{engine}', '$name'), ({ name, missing, start }) => {
    if (missing !== undefined) {
      test.skip(`skipped: ${missing}`, () => {});
      return;
    }
    let running: Awaited<ReturnType<Engine['start']>>;
    beforeAll(async () => {
      running = await start();
    });
    afterAll(() => running?.stop());
    suite({ name, fresh: () => running.fresh() });
  });
}

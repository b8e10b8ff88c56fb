/** A PostgreSQL pool as a Kysely dialect. */
import { type Dialect, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { StoreLogger } from './open.ts';

/** A server that does not answer in this time is not there; the pool tries anew with the next query. */
const CONNECT_TIMEOUT_MS = 5_000;
/** A statement of the store takes milliseconds; one that takes this long waits for a lock nobody releases. */
const STATEMENT_TIMEOUT_MS = 30_000;
const MAX_CONNECTIONS = 10;
/** Object id of PostgreSQL's `bigint`, which pg gives as text unless told otherwise. */
const INT8 = 20;

/** Kysely dialect over a pool of connections, which it ends when it is destroyed. */
export function postgresDialect(databaseUrl: string, logger: StoreLogger): Dialect {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    application_name: 'meet',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    max: MAX_CONNECTIONS,
    keepAlive: true,
    types: {
      // Times and counters stay below 2^53, so a number holds them exactly.
      getTypeParser: (oid: number, format?: 'text' | 'binary') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format),
    } as pg.CustomTypesConfig,
  });
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', (error) => logger.warn({ error: error.message }, 'A database connection broke.'));
  return new PostgresDialect({ pool });
}

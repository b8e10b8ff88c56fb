import { access, constants, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CamelCasePlugin, type Dialect, Kysely, sql } from 'kysely';
import { MeetError } from '../../protocol/errors.ts';
import { audit } from './audit.ts';
import { blocks } from './blocks.ts';
import { databaseFault, withDatabaseFaults } from './faults.ts';
import { files } from './files.ts';
import { mediaStreams } from './media-streams.ts';
import { meetings } from './meetings.ts';
import { messages } from './messages.ts';
import { migrate } from './migrate.ts';
import { participants } from './participants.ts';
import { recordings } from './recordings.ts';
import { secrets } from './secrets.ts';
import type { Tables } from './tables.ts';
import type { Store } from './types.ts';
import { users } from './users.ts';
import { webhooks } from './webhooks.ts';

/** The part of a pino logger that the store writes to. */
export interface StoreLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A folder for SQLite (made when it is not there), or a `postgres://` URL. */
export type StoreOptions = { dataDir: string } | { databaseUrl: string };

const DATABASE_FILE = 'meet.db';

/**
 * Opens the store and brings its schema up to date; processes that do so at once wait for each other.
 * @throws MeetError `no-permission`, `disk-full`, `storage-failed`, `bad-config` for a URL that is none.
 */
export async function openStore(options: StoreOptions, logger: StoreLogger): Promise<Store> {
  const engine = 'databaseUrl' in options ? 'postgres' : 'sqlite';
  let db: Kysely<Tables> | undefined;
  try {
    const dialect =
      'databaseUrl' in options
        ? await dialectOfUrl(options.databaseUrl, logger)
        : await dialectOfFolder(options.dataDir);
    db = new Kysely<Tables>({ dialect, plugins: [new CamelCasePlugin({ maintainNestedObjectKeys: true })] });
    const applied = await migrate(db, engine);
    if (applied.length > 0)
      logger.info({ engine, migrations: applied }, 'The database schema was brought up to date.');
  } catch (error) {
    await db?.destroy().catch(() => {});
    throw databaseFault(error);
  }
  return new SqlStore(db, engine);
}

async function dialectOfFolder(dataDir: string): Promise<Dialect> {
  try {
    // It holds password hashes and recordings: others on the machine stay out.
    await mkdir(dataDir, { recursive: true, mode: 0o750 });
    await access(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new MeetError('disk-full', `There is no space left for the data folder ${dataDir}.`, {
        cause: error,
      });
    }
    throw new MeetError(
      'no-permission',
      `The data folder ${dataDir} cannot be made or written (${String(code)}).`,
      {
        cause: error,
        hint: 'Choose another folder with --data, or give this user the right to write there.',
      },
    );
  }
  const { openSqlite, sqliteDialect } = await import('./sqlite.ts');
  return sqliteDialect(openSqlite(join(dataDir, DATABASE_FILE)));
}

async function dialectOfUrl(databaseUrl: string, logger: StoreLogger): Promise<Dialect> {
  // The URL stays out of message and cause: it holds the password.
  if (!URL.canParse(databaseUrl) || !/^postgres(ql)?:$/.test(new URL(databaseUrl).protocol)) {
    throw new MeetError('bad-config', 'The database URL is not one of PostgreSQL.', {
      hint: 'Write it as postgres://user:password@host:5432/database.',
    });
  }
  const { postgresDialect } = await import('./postgres.ts');
  return postgresDialect(databaseUrl, logger);
}

class SqlStore implements Store {
  readonly engine: Store['engine'];
  readonly users: Store['users'];
  readonly meetings: Store['meetings'];
  readonly participants: Store['participants'];
  readonly mediaStreams: Store['mediaStreams'];
  readonly recordings: Store['recordings'];
  readonly messages: Store['messages'];
  readonly files: Store['files'];
  readonly blocks: Store['blocks'];
  readonly audit: Store['audit'];
  readonly webhooks: Store['webhooks'];
  readonly secrets: Store['secrets'];
  readonly #db: Kysely<Tables>;
  #closed: Promise<void> | undefined;

  constructor(db: Kysely<Tables>, engine: Store['engine']) {
    this.#db = db;
    this.engine = engine;
    this.users = withDatabaseFaults(users(db));
    this.meetings = withDatabaseFaults(meetings(db));
    this.participants = withDatabaseFaults(participants(db, engine));
    this.mediaStreams = withDatabaseFaults(mediaStreams(db));
    this.recordings = withDatabaseFaults(recordings(db));
    this.messages = withDatabaseFaults(messages(db));
    this.files = withDatabaseFaults(files(db));
    this.blocks = withDatabaseFaults(blocks(db));
    this.audit = withDatabaseFaults(audit(db));
    this.webhooks = withDatabaseFaults(webhooks(db));
    this.secrets = withDatabaseFaults(secrets(db));
  }

  async check(): Promise<void> {
    await sql`select 1`.execute(this.#db).catch((error: unknown) => {
      throw databaseFault(error);
    });
  }

  close(): Promise<void> {
    this.#closed ??= this.#db.destroy();
    return this.#closed;
  }
}

/** The SQLite inside Node as a Kysely dialect. */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteStatement,
} from 'kysely';
import { MeetError } from '../../protocol/errors.ts';

/** How long a statement, and with it this process, waits for another that holds the lock for some milliseconds. */
const BUSY_TIMEOUT_MS = 5_000;
/** The store has about fifty different statements; anything beyond that is made by hand and rare. */
const MAX_CACHED_STATEMENTS = 200;

/**
 * Opens the file and sets it up so that a commit that has returned survives the machine's power being cut.
 * @throws the error of SQLite
 */
export function openSqlite(path: string): DatabaseSync {
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    switchToWal(database);
    // In WAL mode NORMAL would lose the last commits when the power is cut.
    database.exec('PRAGMA synchronous = FULL');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * Two processes that switch a new file to WAL at once can both hold a shared lock, and SQLite then fails at once
 * instead of waiting (https://sqlite.org/wal.html, section 8): the loser tries again when the other is done.
 */
function switchToWal(database: DatabaseSync): void {
  const deadline = performance.now() + BUSY_TIMEOUT_MS;
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const busy = error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === 5;
      if (!busy || performance.now() > deadline) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/**
 * Node prints a warning about its SQLite being experimental the first time it is loaded, which is nothing a user
 * of this program can act on. Loading is synchronous, so no other warning is lost.
 */
function loadSqlite(): typeof import('node:sqlite') {
  const emitWarning = process.emitWarning;
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** Kysely dialect over one open database, which it closes when it is destroyed. */
export function sqliteDialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new NodeSqliteDriver(database),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: { close: () => database.close(), prepare: statements(database) } });
    this.#database = database;
  }

  /**
   * A transaction that reads before it writes fails with SQLITE_BUSY_SNAPSHOT, without waiting, when another
   * process wrote in between; taking the write lock at its beginning makes it wait instead.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  /** SQLite has rolled back by itself when the disk was full; the error to report is that one. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

function statements(database: DatabaseSync): (sql: string) => SqliteStatement {
  const cache = new Map<string, SqliteStatement>();
  return (sql) => {
    let statement = cache.get(sql);
    if (statement) return statement;
    statement = toKysely(database.prepare(sql));
    const oldest = cache.keys().next();
    if (cache.size >= MAX_CACHED_STATEMENTS && !oldest.done) cache.delete(oldest.value);
    cache.set(sql, statement);
    return statement;
  };
}

function toKysely(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bindable(parameters)),
    run: (parameters) => statement.run(...bindable(parameters)),
    iterate: (parameters) => statement.iterate(...bindable(parameters)),
  };
}

/** PostgreSQL cannot keep a NUL in text; SQLite could, but the engines are to behave alike. */
function bindable(parameters: readonly unknown[]): SQLInputValue[] {
  for (const parameter of parameters) {
    if (typeof parameter === 'string' && parameter.includes('\0')) {
      throw new MeetError('bad-request', 'Text cannot contain the NUL character.');
    }
  }
  return parameters as SQLInputValue[];
}

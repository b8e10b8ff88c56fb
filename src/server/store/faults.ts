/** Errors of the two database engines as sentences. */
import { MeetError } from '../../protocol/errors.ts';

/** SQLite's primary result codes, https://sqlite.org/rescode.html; the low byte of an extended code. */
const SQLITE = { perm: 3, busy: 5, readonly: 8, full: 13, cantOpen: 14, constraint: 19 } as const;
const SQLITE_FOREIGN_KEY = 787;
const SQLITE_UNIQUE = [1555, 2067];

/**
 * What a user is told about an error of the database. The sentence never holds the connection URL, since that
 * holds the password; the original stays in `cause` for the log.
 */
export function databaseFault(error: unknown): MeetError {
  if (error instanceof MeetError) return error;
  if (!(error instanceof Error)) return storageFailed(String(error), error);
  if ('errcode' in error && typeof error.errcode === 'number') return sqliteFault(error, error.errcode);
  if (error instanceof AggregateError && error.errors.length > 0) return databaseFault(error.errors[0]);
  if ('code' in error && typeof error.code === 'string') return postgresFault(error, error.code);
  return storageFailed(error.message, error);
}

function sqliteFault(error: Error, errcode: number): MeetError {
  if (errcode === SQLITE_FOREIGN_KEY) return missingReference(error);
  if (SQLITE_UNIQUE.includes(errcode)) return taken(error);
  switch (errcode & 0xff) {
    case SQLITE.full:
      return diskFull(error);
    case SQLITE.perm:
    case SQLITE.readonly:
    case SQLITE.cantOpen:
      return new MeetError('no-permission', 'The database file may not be written.', {
        cause: error,
        hint: 'Choose a data folder that this user may write.',
      });
    case SQLITE.busy:
      return new MeetError('storage-failed', 'Another process keeps the database locked.', { cause: error });
    default:
      return storageFailed(error.message, error);
  }
}

/** Codes of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html) and of Node's sockets. */
function postgresFault(error: Error, code: string): MeetError {
  switch (code) {
    case '23503':
      return missingReference(error);
    case '23505':
      return taken(error);
    case '22021':
    case '22P05':
      return new MeetError('bad-request', 'Text cannot contain the NUL character.', { cause: error });
    case '53100':
      return diskFull(error);
    case '28000':
    case '28P01':
      return storageFailed('the database refused the user or password', error);
    case '3D000':
      return storageFailed('the database named in the URL does not exist', error);
    case 'ECONNREFUSED':
    case 'ENOENT':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ETIMEDOUT':
      return storageFailed(`the database cannot be reached (${code})`, error);
    default:
      return storageFailed(error.message, error);
  }
}

const diskFull = (cause: Error) =>
  new MeetError('disk-full', 'There is no space left for the database.', {
    cause,
    hint: "Free some space on the database's disk.",
  });

const missingReference = (cause: Error) =>
  new MeetError('not-found', 'The record refers to something that does not exist.', { cause });

const taken = (cause: Error) =>
  new MeetError('bad-request', 'A record with this id or e-mail address exists already.', { cause });

const storageFailed = (what: string, cause: unknown) =>
  new MeetError('storage-failed', `The store does not work: ${what}.`, { cause });

type Repository<R> = { [K in keyof R]: (...args: never[]) => Promise<unknown> };

/** The same functions with their errors put through {@link databaseFault}. */
export function withDatabaseFaults<R extends Repository<R>>(repository: R): R {
  const guarded = Object.entries<(...args: never[]) => Promise<unknown>>(repository).map(([name, call]) => [
    name,
    async (...args: never[]) => {
      try {
        return await call(...args);
      } catch (error) {
        throw databaseFault(error);
      }
    },
  ]);
  return Object.fromEntries(guarded) as R;
}

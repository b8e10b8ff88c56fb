import type { Store } from './types.ts';

export interface StoreLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A folder for SQLite (made when it is not there), or a `postgres://` URL. */
export type StoreOptions = { dataDir: string } | { databaseUrl: string };

export declare function openStore(options: StoreOptions, logger: StoreLogger): Promise<Store>;

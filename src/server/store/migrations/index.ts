/** Every change of the schema, by name; Kysely runs those that a database has not seen, in the order of the names. */
import type { Migration } from 'kysely/migration';
import * as entities from './0001-entities.ts';
import * as servers from './0002-servers.ts';
import * as chat from './0003-chat.ts';
import * as recordings from './0004-recordings.ts';
import * as sharing from './0005-sharing.ts';

export const migrations: Record<string, Migration> = {
  '0001-entities': entities,
  '0002-servers': servers,
  '0003-chat': chat,
  '0004-recordings': recordings,
  '0005-sharing': sharing,
};

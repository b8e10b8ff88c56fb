import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { migrations } from './migrations/index.ts';
import type { Store } from './types.ts';

/**
 * Runs the migrations that this database has not seen and answers their names.
 *
 * In PostgreSQL Kysely does so in one transaction under an advisory lock. For SQLite it does neither, although
 * SQLite has both: one write transaction around all of it makes other processes wait and leaves nothing half done.
 */
export async function migrate<T>(db: Kysely<T>, engine: Store['engine']): Promise<string[]> {
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
  if (engine === 'postgres') return latest(migrator);
  await sql`begin immediate`.execute(db);
  try {
    const applied = await latest(migrator);
    await sql`commit`.execute(db);
    return applied;
  } catch (error) {
    await sql`rollback`.execute(db).catch(() => {});
    throw error;
  }
}

async function latest(migrator: Migrator): Promise<string[]> {
  const { error, results } = await migrator.migrateToLatest();
  if (error) throw error;
  return (results ?? []).map((result) => result.migrationName);
}

import { type Kysely, sql } from 'kysely';

/** Servers that share a database: whose participants are whose, and the secrets they have in common. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable('participants').addColumn('server_id', 'text').execute();
  // Nobody can tell any more which server those present are on, and so nobody would ever see them leave.
  const now = Date.now();
  await sql`update participants set left_at = ${now}, leave_reason = 'server-lost' where left_at is null`.execute(
    db,
  );
  await sql`update media_streams set ended_at = ${now} where ended_at is null`.execute(db);
  await db.schema
    .createIndex('participants_of_server')
    .on('participants')
    .columns(['server_id', 'left_at'])
    .execute();
  await db.schema
    .createTable('secrets')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('value', 'text', (column) => column.notNull())
    .execute();
}

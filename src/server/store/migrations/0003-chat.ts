import { type Kysely, PostgresAdapter, sql } from 'kysely';

/** Replies, files, blocks, the audit log, and what hosts decide about a meeting. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const postgres = db.getExecutor().adapter instanceof PostgresAdapter;
  await db.schema.alterTable('messages').addColumn('reply_to', 'text').execute();
  for (const name of ['unmuting', 'screen_sharing']) {
    await db.schema
      .alterTable('meetings')
      .addColumn(name, 'integer', (column) => column.notNull().defaultTo(1))
      .execute();
  }
  await db.schema.alterTable('participants').addColumn('address', 'text').execute();

  await db.schema
    .createTable('files')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('meeting_id', 'text', (column) => column.notNull().references('meetings.id'))
    .addColumn('sender_id', 'text', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('content_type', 'text', (column) => column.notNull())
    .addColumn('size', 'bigint', (column) => column.notNull())
    .addColumn('location', 'text', (column) => column.notNull())
    .addColumn('scanned', 'integer', (column) => column.notNull())
    .addColumn('sent', 'integer', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addColumn('deleted_at', 'bigint')
    .addForeignKeyConstraint('files_sender', ['meeting_id', 'sender_id'], 'participants', [
      'meeting_id',
      'id',
    ])
    .execute();
  await db.schema.createIndex('files_by_expiry').on('files').columns(['deleted_at', 'expires_at']).execute();
  await db.schema.createIndex('messages_of_file').on('messages').column('file_id').execute();

  await db.schema
    .createTable('blocks')
    .addColumn('meeting_id', 'text', (column) => column.notNull().references('meetings.id'))
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('user_id', 'text')
    .addColumn('address', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('blocks_key', ['meeting_id', 'participant_id'])
    .execute();

  await db.schema
    .createTable('audit')
    // Never a number twice, also when the last entries were taken away with the file.
    .addColumn('id', postgres ? 'bigserial' : 'integer', (column) =>
      postgres ? column.primaryKey() : column.primaryKey().autoIncrement(),
    )
    // No reference: the log of a meeting outlives it.
    .addColumn('meeting_id', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('actor_id', 'text')
    .addColumn('actor_user_id', 'text')
    .addColumn('actor_name', 'text')
    .addColumn('actor_role', 'text')
    .addColumn('address', 'text')
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('target_id', 'text')
    .addColumn('target_name', 'text')
    .addColumn('outcome', 'text', (column) => column.notNull().check(sql`outcome in ('allowed', 'refused')`))
    .addColumn('code', 'text')
    .addColumn('detail', 'text')
    .execute();
  await db.schema.createIndex('audit_of_meeting').on('audit').columns(['meeting_id', 'id']).execute();
  await (postgres ? appendOnlyPostgres(db) : appendOnlySqlite(db));
}

/** The database itself refuses to change what is in the log. */
async function appendOnlySqlite(db: Kysely<unknown>): Promise<void> {
  for (const change of ['update', 'delete']) {
    await sql`create trigger ${sql.raw(`audit_no_${change}`)} before ${sql.raw(change)} on audit
      begin select raise(abort, 'the audit log is append-only'); end`.execute(db);
  }
}

async function appendOnlyPostgres(db: Kysely<unknown>): Promise<void> {
  await sql`create function audit_is_append_only() returns trigger language plpgsql as
    $$ begin raise exception 'the audit log is append-only'; end $$`.execute(db);
  await sql`create trigger audit_append_only before update or delete or truncate on audit
    for each statement execute function audit_is_append_only()`.execute(db);
}

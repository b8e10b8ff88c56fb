import { type Kysely, sql } from 'kysely';

/** What a recording is made of and how far it is, its recorder, and the webhook calls that are still to be made. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // SQLite cannot change the check of a column: the table is made anew.
  await db.schema.dropIndex('recordings_of_meeting').execute();
  await db.schema.dropIndex('recordings_by_status').execute();
  await db.schema.alterTable('recordings').renameTo('recordings_before').execute();
  await db.schema
    .createTable('recordings')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('meeting_id', 'text', (column) => column.notNull().references('meetings.id'))
    .addColumn('title', 'text')
    .addColumn('location', 'text')
    .addColumn('format', 'text', (column) => column.notNull().check(sql`format in ('mp4', 'webm', 'm4a')`))
    .addColumn('layout', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) =>
      column.notNull().check(sql`status in ('recording', 'processing', 'ready', 'failed')`),
    )
    .addColumn('duration_ms', 'bigint')
    .addColumn('size_bytes', 'bigint')
    .addColumn('pauses', 'text', (column) => column.notNull())
    .addColumn('files', 'text', (column) => column.notNull())
    .addColumn('steps', 'text', (column) => column.notNull())
    .addColumn('transcript', 'text')
    .addColumn('access', 'text', (column) => column.notNull())
    .addColumn('link_key', 'text')
    .addColumn('error', 'text')
    .addColumn('server_id', 'text')
    .addColumn('recorder', 'text')
    .addColumn('wanted', 'text', (column) =>
      column.notNull().defaultTo('{"paused":false,"pin":null,"stopAt":null}'),
    )
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('expires_at', 'bigint')
    .execute();
  await sql`insert into recordings
      (id, meeting_id, location, format, layout, status, duration_ms, size_bytes, pauses, files, steps, transcript,
       access, created_at, started_at, ended_at)
    select id, meeting_id, location, format, 'gallery', case when status = 'recording' then 'failed' else status end,
      duration_ms, size_bytes, '[]', '[]', '[]', transcript, replace(access, '"scope":"host"', '"scope":"hosts"'),
      created_at, created_at, ended_at
    from recordings_before`.execute(db);
  await db.schema.dropTable('recordings_before').execute();
  await db.schema.createIndex('recordings_of_meeting').on('recordings').column('meeting_id').execute();
  await db.schema.createIndex('recordings_by_status').on('recordings').column('status').execute();
  // Of two servers that start a recording of a meeting at once, the database lets one.
  await sql`create unique index recordings_running on recordings (meeting_id) where status = 'recording'`.execute(
    db,
  );
  await db.schema.alterTable('participants').addColumn('recorder', 'text').execute();
  await db.schema
    .createTable('webhooks')
    .addColumn('id', 'text', (column) => column.primaryKey().notNull())
    .addColumn('body', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('webhooks_due').on('webhooks').column('next_at').execute();
}

import { type Kysely, sql } from 'kysely';

/** The types are those that SQLite and PostgreSQL have in common. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('users')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text')
    .addColumn('email', 'text')
    .addColumn('tier', 'text', (column) => column.notNull().check(sql`tier in ('free', 'pro', 'enterprise')`))
    .addColumn('preferences', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('users_email').unique().on('users').expression(sql`lower(email)`).execute();

  await db.schema
    .createTable('meetings')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('host_user_id', 'text', (column) => column.references('users.id'))
    .addColumn('title', 'text')
    .addColumn('status', 'text', (column) =>
      column.notNull().check(sql`status in ('scheduled', 'in-progress', 'ended')`),
    )
    .addColumn('scheduled_time', 'bigint')
    .addColumn('duration', 'integer')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('password_hash', 'text')
    .addColumn('waiting_room', 'integer', (column) => column.notNull())
    .addColumn('recording', 'integer', (column) => column.notNull())
    .addColumn('locked', 'integer', (column) => column.notNull())
    .addColumn('last_sequence', 'bigint', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('meetings_open').on('meetings').columns(['status', 'created_at']).execute();

  await db.schema
    .createTable('participants')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('meeting_id', 'text', (column) => column.notNull().references('meetings.id'))
    .addColumn('user_id', 'text', (column) => column.references('users.id'))
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('role', 'text', (column) =>
      column.notNull().check(sql`role in ('host', 'co-host', 'participant')`),
    )
    .addColumn('joined_at', 'bigint', (column) => column.notNull())
    .addColumn('left_at', 'bigint')
    .addColumn('leave_reason', 'text')
    // What a participant sends refers to both, so that it cannot end up in another's meeting.
    .addUniqueConstraint('participants_in_meeting', ['meeting_id', 'id'])
    .execute();
  await db.schema
    .createIndex('participants_of_meeting')
    .on('participants')
    .columns(['meeting_id', 'joined_at'])
    .execute();

  await db.schema
    .createTable('media_streams')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('participant_id', 'text', (column) => column.notNull())
    .addColumn('meeting_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull().check(sql`kind in ('audio', 'video')`))
    .addColumn('source', 'text', (column) => column.notNull())
    .addColumn('codec', 'text', (column) => column.notNull())
    .addColumn('layers', 'integer', (column) => column.notNull())
    .addColumn('bitrate', 'bigint')
    .addColumn('quality_level', 'integer')
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addForeignKeyConstraint('media_streams_sender', ['meeting_id', 'participant_id'], 'participants', [
      'meeting_id',
      'id',
    ])
    .execute();
  await db.schema
    .createIndex('media_streams_of_participant')
    .on('media_streams')
    .column('participant_id')
    .execute();
  await db.schema.createIndex('media_streams_of_meeting').on('media_streams').column('meeting_id').execute();

  await db.schema
    .createTable('recordings')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('meeting_id', 'text', (column) => column.notNull().references('meetings.id'))
    .addColumn('location', 'text')
    .addColumn('format', 'text', (column) => column.notNull().check(sql`format in ('mp4', 'webm')`))
    .addColumn('status', 'text', (column) =>
      column.notNull().check(sql`status in ('recording', 'processing', 'ready', 'failed')`),
    )
    .addColumn('duration_ms', 'bigint')
    .addColumn('size_bytes', 'bigint')
    .addColumn('transcript', 'text')
    .addColumn('access', 'text', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .execute();
  await db.schema.createIndex('recordings_of_meeting').on('recordings').column('meeting_id').execute();
  await db.schema.createIndex('recordings_by_status').on('recordings').column('status').execute();

  await db.schema
    .createTable('messages')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('meeting_id', 'text', (column) => column.notNull().references('meetings.id'))
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('sender_id', 'text', (column) => column.notNull())
    .addColumn('recipient_id', 'text')
    .addColumn('content', 'text', (column) => column.notNull())
    .addColumn('file_id', 'text')
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('client_id', 'text')
    .addUniqueConstraint('messages_in_order', ['meeting_id', 'sequence'])
    .addUniqueConstraint('messages_sent_once', ['sender_id', 'client_id'])
    .addForeignKeyConstraint('messages_sender', ['meeting_id', 'sender_id'], 'participants', [
      'meeting_id',
      'id',
    ])
    .addForeignKeyConstraint('messages_recipient', ['meeting_id', 'recipient_id'], 'participants', [
      'meeting_id',
      'id',
    ])
    .execute();
}

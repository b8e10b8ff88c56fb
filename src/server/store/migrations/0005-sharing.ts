import type { Kysely } from 'kysely';

/** Whether several may share their screens at the same time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable('meetings')
    .addColumn('several_screens', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
}

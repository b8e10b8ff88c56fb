import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { Webhooks } from './types.ts';

export function webhooks(db: Kysely<Tables>): Webhooks {
  return {
    async add({ id, body, createdAt }) {
      await db
        .insertInto('webhooks')
        .values({ id, body, attempts: 0, nextAt: createdAt, createdAt })
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    },
    async take({ now, busyUntil, limit }) {
      const due = db
        .selectFrom('webhooks')
        .select('id')
        .where('nextAt', '<=', now)
        .orderBy('nextAt')
        .orderBy('id')
        .limit(limit);
      const rows = await db
        .updateTable('webhooks')
        .set((column) => ({ nextAt: busyUntil, attempts: column('attempts', '+', 1) }))
        .where('id', 'in', due)
        // Said again for PostgreSQL, where another server may have taken it since the rows were chosen.
        .where('nextAt', '<=', now)
        .returningAll()
        .execute();
      return rows.sort((a, b) => a.createdAt - b.createdAt);
    },
    async later(id, nextAt) {
      await db.updateTable('webhooks').set({ nextAt }).where('id', '=', id).execute();
    },
    async nextAt() {
      const row = await db
        .selectFrom('webhooks')
        .select('nextAt')
        .orderBy('nextAt')
        .limit(1)
        .executeTakeFirst();
      return row?.nextAt;
    },
    async delete(id) {
      await db.deleteFrom('webhooks').where('id', '=', id).execute();
    },
  };
}

import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { Audit, AuditRecord } from './types.ts';

export function audit(db: Kysely<Tables>): Audit {
  return {
    async append(record) {
      const row = {
        ...record,
        at: Date.now(),
        detail: record.detail === null ? null : JSON.stringify(record.detail),
      };
      const { id } = await db.insertInto('audit').values(row).returning('id').executeTakeFirstOrThrow();
      return { ...record, id, at: row.at };
    },
    async page(meetingId, { after, limit }) {
      const rows = await db
        .selectFrom('audit')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(
        ({ detail, ...row }): AuditRecord => ({
          ...row,
          detail: detail === null ? null : JSON.parse(detail),
        }),
      );
    },
  };
}

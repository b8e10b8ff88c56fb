import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { Audit, AuditRecord } from './types.ts';

export function audit(db: Kysely<Tables>): Audit {
  return {
    async append(records) {
      const rows = records.map((record) => ({
        ...record,
        detail: record.detail === null ? null : JSON.stringify(record.detail),
      }));
      await db.insertInto('audit').values(rows).execute();
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

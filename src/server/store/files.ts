import type { Kysely } from 'kysely';
import { type FileRow, flag, type Tables } from './tables.ts';
import type { Files, StoredFile } from './types.ts';

export function files(db: Kysely<Tables>): Files {
  return {
    async create(file) {
      const row: FileRow = { ...file, scanned: flag(file.scanned), sent: 0, deletedAt: null };
      await db.insertInto('files').values(row).execute();
      return fileOfRow(row);
    },
    async get(id) {
      const row = await db.selectFrom('files').selectAll().where('id', '=', id).executeTakeFirst();
      return row && fileOfRow(row);
    },
    async isVisibleTo(id, participantId) {
      const found = await db
        .selectFrom('files')
        .leftJoin('messages', 'messages.fileId', 'files.id')
        .select('files.id')
        .where('files.id', '=', id)
        .where((column) =>
          column.or([
            // Without a message there is no row to be for everyone.
            column.and([column('messages.id', 'is not', null), column('messages.recipientId', 'is', null)]),
            ...(participantId === null
              ? []
              : [
                  column('files.senderId', '=', participantId),
                  column('messages.recipientId', '=', participantId),
                ]),
          ]),
        )
        .limit(1)
        .executeTakeFirst();
      return found !== undefined;
    },
    async listExpired({ now, unsentBefore, limit }) {
      const rows = await db
        .selectFrom('files')
        .selectAll()
        .where('deletedAt', 'is', null)
        .where((column) =>
          column.or([
            column('expiresAt', '<=', now),
            column.and([column('sent', '=', 0), column('createdAt', '<', unsentBefore)]),
          ]),
        )
        .orderBy('expiresAt')
        .limit(limit)
        .execute();
      return rows.map(fileOfRow);
    },
    async markDeleted(id, at) {
      await db.updateTable('files').set({ deletedAt: at }).where('id', '=', id).execute();
    },
  };
}

export function fileOfRow(row: FileRow): StoredFile {
  return { ...row, scanned: row.scanned === 1, sent: row.sent === 1 };
}

import type { Kysely } from 'kysely';
import { newId } from './ids.ts';
import type { RecordingRow, Tables } from './tables.ts';
import type { Recording, RecordingAccess, Recordings } from './types.ts';

const HOSTS_ONLY: RecordingAccess = { scope: 'host', userIds: [] };

export function recordings(db: Kysely<Tables>): Recordings {
  const get = async (id: string) => {
    const row = await db.selectFrom('recordings').selectAll().where('id', '=', id).executeTakeFirst();
    return row && fromRow(row);
  };
  return {
    get,
    async create(recording) {
      const row: RecordingRow = {
        id: recording.id ?? newId(),
        meetingId: recording.meetingId,
        location: recording.location ?? null,
        format: recording.format ?? 'mp4',
        status: 'recording',
        durationMs: null,
        sizeBytes: null,
        transcript: null,
        access: JSON.stringify(recording.access ?? HOSTS_ONLY),
        createdAt: recording.createdAt ?? Date.now(),
        endedAt: null,
      };
      await db.insertInto('recordings').values(row).execute();
      return fromRow(row);
    },
    async update(id, patch) {
      const { transcript, access, ...columns } = patch;
      const row: Partial<RecordingRow> = {
        ...columns,
        ...(transcript === undefined ? {} : { transcript: transcript && JSON.stringify(transcript) }),
        ...(access === undefined ? {} : { access: JSON.stringify(access) }),
      };
      if (!Object.values(row).some((value) => value !== undefined)) return get(id);
      const updated = await db
        .updateTable('recordings')
        .set(row)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return updated && fromRow(updated);
    },
    async list(meetingId) {
      const rows = await db
        .selectFrom('recordings')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .orderBy('createdAt')
        .orderBy('id')
        .execute();
      return rows.map(fromRow);
    },
    async listByStatus(...status) {
      if (status.length === 0) return [];
      const rows = await db
        .selectFrom('recordings')
        .selectAll()
        .where('status', 'in', status)
        .orderBy('createdAt')
        .orderBy('id')
        .execute();
      return rows.map(fromRow);
    },
    async delete(id) {
      const deleted = await db.deleteFrom('recordings').where('id', '=', id).executeTakeFirst();
      return deleted.numDeletedRows > 0n;
    },
  };
}

function fromRow(row: RecordingRow): Recording {
  return {
    ...row,
    transcript: row.transcript === null ? null : JSON.parse(row.transcript),
    access: JSON.parse(row.access),
  };
}

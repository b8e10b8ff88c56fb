import { type Kysely, sql } from 'kysely';
import { MeetError } from '../../protocol/errors.ts';
import { newId } from './ids.ts';
import { RECORDING_JSON, type RecordingRow, type Tables } from './tables.ts';
import type { Recording, RecordingAccess, RecordingPatch, Recordings } from './types.ts';

/** As the index has it, word for word: with a parameter SQLite does not find the index. */
const RUNNING = sql<boolean>`status = 'recording'`;
const HOSTS_ONLY: RecordingAccess = { scope: 'hosts', userIds: [] };

export function recordings(db: Kysely<Tables>): Recordings {
  const get = async (id: string) => {
    const row = await db.selectFrom('recordings').selectAll().where('id', '=', id).executeTakeFirst();
    return row && fromRow(row);
  };
  const inOrder = () => db.selectFrom('recordings').selectAll().orderBy('createdAt').orderBy('id');
  return {
    get,
    async create(recording) {
      const whole: Recording = {
        id: recording.id ?? newId(),
        meetingId: recording.meetingId,
        title: recording.title ?? null,
        location: recording.location ?? null,
        format: recording.format ?? 'mp4',
        layout: recording.layout ?? 'gallery',
        status: 'recording',
        durationMs: null,
        sizeBytes: null,
        pauses: [],
        files: [],
        steps: [],
        transcript: null,
        access: recording.access ?? HOSTS_ONLY,
        linkKey: null,
        error: null,
        serverId: recording.serverId ?? null,
        recorder: recording.recorder ?? null,
        wanted: recording.wanted ?? { paused: false, pin: null, stopAt: null },
        createdAt: recording.createdAt ?? Date.now(),
        startedAt: null,
        endedAt: null,
        expiresAt: null,
      };
      const inserted = await db
        .insertInto('recordings')
        .values(toRow(whole) as RecordingRow)
        .onConflict((conflict) => conflict.column('meetingId').where(RUNNING).doNothing())
        .executeTakeFirst();
      if (inserted.numInsertedOrUpdatedRows === 0n) {
        throw new MeetError('recording-running', 'The meeting is being recorded already.');
      }
      return whole;
    },
    async update(id, patch) {
      const row = toRow(patch);
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
      return (await inOrder().where('meetingId', '=', meetingId).execute()).map(fromRow);
    },
    async listByStatus(...status) {
      if (status.length === 0) return [];
      return (await inOrder().where('status', 'in', status).execute()).map(fromRow);
    },
    async running(meetingId) {
      const row = await inOrder()
        .where('meetingId', '=', meetingId)
        .where('status', '=', 'recording')
        .executeTakeFirst();
      return row && fromRow(row);
    },
    async listExpired({ now, limit }) {
      const rows = await inOrder()
        .where('expiresAt', '<=', now)
        .where('status', 'in', ['ready', 'failed'])
        .limit(limit)
        .execute();
      return rows.map(fromRow);
    },
    async delete(id) {
      const deleted = await db.deleteFrom('recordings').where('id', '=', id).executeTakeFirst();
      return deleted.numDeletedRows > 0n;
    },
  };
}

/** What is absent stays absent. */
function toRow(recording: RecordingPatch): Partial<RecordingRow> {
  const row: Record<string, unknown> = { ...recording };
  for (const name of RECORDING_JSON) {
    const value = recording[name];
    if (value !== undefined) row[name] = value && JSON.stringify(value);
  }
  return row;
}

function fromRow(row: RecordingRow): Recording {
  const recording: Record<string, unknown> = { ...row };
  for (const name of RECORDING_JSON) {
    const text = row[name];
    recording[name] = text && JSON.parse(text);
  }
  return recording as unknown as Recording;
}

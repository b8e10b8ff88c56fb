import type { Kysely } from 'kysely';
import { newId } from './ids.ts';
import type { Tables } from './tables.ts';
import type { MediaStream, MediaStreams } from './types.ts';

/** Ends the live streams of a participant or a meeting; part of transactions that end more. */
export async function endStreams(
  db: Kysely<Tables>,
  of: { readonly participantId: string } | { readonly meetingId: string },
  at: number,
): Promise<void> {
  const [column, id] =
    'meetingId' in of
      ? (['meetingId', of.meetingId] as const)
      : (['participantId', of.participantId] as const);
  await db
    .updateTable('mediaStreams')
    .set({ endedAt: at })
    .where(column, '=', id)
    .where('endedAt', 'is', null)
    .execute();
}

export function mediaStreams(db: Kysely<Tables>): MediaStreams {
  const get = (id: string): Promise<MediaStream | undefined> =>
    db.selectFrom('mediaStreams').selectAll().where('id', '=', id).executeTakeFirst();
  return {
    get,
    async start(stream) {
      const row: MediaStream = {
        id: stream.id ?? newId(),
        participantId: stream.participantId,
        meetingId: stream.meetingId,
        kind: stream.kind,
        source: stream.source,
        codec: stream.codec,
        layers: stream.layers ?? 1,
        bitrate: stream.bitrate ?? null,
        qualityLevel: null,
        startedAt: stream.startedAt ?? Date.now(),
        endedAt: null,
      };
      await db.insertInto('mediaStreams').values(row).execute();
      return row;
    },
    async update(id, patch) {
      if (!Object.values(patch).some((value) => value !== undefined)) return get(id);
      return db.updateTable('mediaStreams').set(patch).where('id', '=', id).returningAll().executeTakeFirst();
    },
    async end(id, at = Date.now()) {
      const ended = await db
        .updateTable('mediaStreams')
        .set({ endedAt: at })
        .where('id', '=', id)
        .where('endedAt', 'is', null)
        .returningAll()
        .executeTakeFirst();
      return ended ?? get(id);
    },
    async endAllOf(participantId, at = Date.now()) {
      await endStreams(db, { participantId }, at);
    },
    listLive(meetingId) {
      return db
        .selectFrom('mediaStreams')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .where('endedAt', 'is', null)
        .orderBy('startedAt')
        .orderBy('id')
        .execute();
    },
  };
}

import type { Kysely } from 'kysely';
import { newId } from './ids.ts';
import { openMeeting } from './meetings.ts';
import type { Tables } from './tables.ts';
import type { Participant, Participants, Store } from './types.ts';

export function participants(db: Kysely<Tables>, engine: Store['engine']): Participants {
  const get = (id: string): Promise<Participant | undefined> =>
    db.selectFrom('participants').selectAll().where('id', '=', id).executeTakeFirst();
  return {
    get,
    add(participant) {
      const row: Participant = {
        id: participant.id ?? newId(),
        meetingId: participant.meetingId,
        userId: participant.userId ?? null,
        displayName: participant.displayName,
        role: participant.role ?? 'participant',
        joinedAt: participant.joinedAt ?? Date.now(),
        leftAt: null,
        leaveReason: null,
      };
      return db.transaction().execute(async (trx) => {
        const meeting = await trx
          .selectFrom('meetings')
          .select('status')
          .where('id', '=', row.meetingId)
          // A meeting that is ended at this moment would otherwise keep someone present.
          .$if(engine === 'postgres', (query) => query.forShare())
          .executeTakeFirst();
        openMeeting(meeting, row.meetingId);
        await trx.insertInto('participants').values(row).execute();
        return row;
      });
    },
    async update(id, patch) {
      if (!Object.values(patch).some((value) => value !== undefined)) return get(id);
      return db.updateTable('participants').set(patch).where('id', '=', id).returningAll().executeTakeFirst();
    },
    leave(id, reason, at = Date.now()) {
      return db.transaction().execute(async (trx) => {
        const left = await trx
          .updateTable('participants')
          .set({ leftAt: at, leaveReason: reason })
          .where('id', '=', id)
          .where('leftAt', 'is', null)
          .returningAll()
          .executeTakeFirst();
        if (!left) {
          return trx.selectFrom('participants').selectAll().where('id', '=', id).executeTakeFirst();
        }
        await trx
          .updateTable('mediaStreams')
          .set({ endedAt: at })
          .where('participantId', '=', id)
          .where('endedAt', 'is', null)
          .execute();
        return left;
      });
    },
    leaveAll(meetingId, reason, at = Date.now()) {
      return db.transaction().execute(async (trx) => {
        const left = await trx
          .updateTable('participants')
          .set({ leftAt: at, leaveReason: reason })
          .where('meetingId', '=', meetingId)
          .where('leftAt', 'is', null)
          .executeTakeFirst();
        await trx
          .updateTable('mediaStreams')
          .set({ endedAt: at })
          .where('meetingId', '=', meetingId)
          .where('endedAt', 'is', null)
          .execute();
        return Number(left.numUpdatedRows);
      });
    },
    listPresent(meetingId) {
      return db
        .selectFrom('participants')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .where('leftAt', 'is', null)
        .orderBy('joinedAt')
        .orderBy('id')
        .execute();
    },
  };
}

import type { Kysely, Transaction } from 'kysely';
import { newId } from './ids.ts';
import { endStreams } from './media-streams.ts';
import { openMeeting } from './meetings.ts';
import type { Tables } from './tables.ts';
import type { Participant, Participants, Store } from './types.ts';

export function participants(db: Kysely<Tables>, engine: Store['engine']): Participants {
  const get = (id: string): Promise<Participant | undefined> =>
    db.selectFrom('participants').selectAll().where('id', '=', id).executeTakeFirst();
  const refuseEnded = async (trx: Transaction<Tables>, meetingId: string) => {
    const meeting = await trx
      .selectFrom('meetings')
      .select('status')
      .where('id', '=', meetingId)
      // A meeting that is ended at this moment would otherwise keep someone present.
      .$if(engine === 'postgres', (query) => query.forShare())
      .executeTakeFirst();
    openMeeting(meeting, meetingId);
  };
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
        serverId: participant.serverId ?? null,
        address: participant.address ?? null,
        recorder: participant.recorder ?? null,
      };
      return db.transaction().execute(async (trx) => {
        await refuseEnded(trx, row.meetingId);
        await trx.insertInto('participants').values(row).execute();
        return row;
      });
    },
    async update(id, patch) {
      if (!Object.values(patch).some((value) => value !== undefined)) return get(id);
      return db.updateTable('participants').set(patch).where('id', '=', id).returningAll().executeTakeFirst();
    },
    rejoin(id, serverId, address = null) {
      return db.transaction().execute(async (trx) => {
        const before = await trx
          .selectFrom('participants')
          .select('meetingId')
          .where('id', '=', id)
          .executeTakeFirst();
        if (!before) return undefined;
        await refuseEnded(trx, before.meetingId);
        return trx
          .updateTable('participants')
          .set({ leftAt: null, leaveReason: null, serverId, address })
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
      });
    },
    leave(id, reason, { at = Date.now(), serverId } = {}) {
      return db.transaction().execute(async (trx) => {
        const left = await trx
          .updateTable('participants')
          .set({ leftAt: at, leaveReason: reason, address: null })
          .where('id', '=', id)
          .where('leftAt', 'is', null)
          .$if(serverId !== undefined, (query) => query.where('serverId', '=', serverId!))
          .returningAll()
          .executeTakeFirst();
        if (!left) {
          return trx.selectFrom('participants').selectAll().where('id', '=', id).executeTakeFirst();
        }
        await endStreams(trx, { participantId: id }, at);
        return left;
      });
    },
    leaveAll(meetingId, reason, at = Date.now()) {
      return db.transaction().execute(async (trx) => {
        const left = await trx
          .updateTable('participants')
          .set({ leftAt: at, leaveReason: reason, address: null })
          .where('meetingId', '=', meetingId)
          .where('leftAt', 'is', null)
          .executeTakeFirst();
        await endStreams(trx, { meetingId }, at);
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
    async lastRecorder(recordingId) {
      return await db
        .selectFrom('participants')
        .selectAll()
        .where('recorder', '=', recordingId)
        .orderBy('joinedAt', 'desc')
        .limit(1)
        .executeTakeFirst();
    },
    async wasIn(meetingId, userId) {
      const found = await db
        .selectFrom('participants')
        .select('id')
        .where('meetingId', '=', meetingId)
        .where('userId', '=', userId)
        .where((column) =>
          column.or([column('leaveReason', 'is', null), column('leaveReason', '!=', 'removed')]),
        )
        .limit(1)
        .executeTakeFirst();
      return found !== undefined;
    },
    listPresentOn(serverId) {
      return db
        .selectFrom('participants')
        .innerJoin('meetings', 'meetings.id', 'participants.meetingId')
        .selectAll('participants')
        .where('participants.serverId', '=', serverId)
        .where('participants.leftAt', 'is', null)
        .where('meetings.status', '=', 'in-progress')
        .orderBy('participants.joinedAt')
        .orderBy('participants.id')
        .execute();
    },
  };
}

import type { Kysely } from 'kysely';
import { MeetError } from '../../protocol/errors.ts';
import { newMeetingId } from './ids.ts';
import { endStreams } from './media-streams.ts';
import { flag, MEETING_FLAGS, type MeetingRow, type Tables } from './tables.ts';
import type { Meeting, Meetings } from './types.ts';

const DEFAULT_LIMIT = 100;

export function meetings(db: Kysely<Tables>): Meetings {
  const find = async (id: string): Promise<Meeting | undefined> => {
    const row = await db.selectFrom('meetings').selectAll().where('id', '=', id).executeTakeFirst();
    return row && fromRow(row);
  };
  return {
    get: find,
    async create(meeting = {}) {
      const row: MeetingRow = {
        id: meeting.id ?? newMeetingId(),
        hostUserId: meeting.hostUserId ?? null,
        title: meeting.title ?? null,
        status: 'scheduled',
        scheduledTime: meeting.scheduledTime ?? null,
        duration: meeting.duration ?? null,
        createdAt: meeting.createdAt ?? Date.now(),
        startedAt: null,
        endedAt: null,
        passwordHash: meeting.passwordHash ?? null,
        waitingRoom: flag(meeting.waitingRoom ?? false),
        recording: flag(meeting.recording ?? false),
        locked: flag(meeting.locked ?? false),
        unmuting: flag(meeting.unmuting ?? true),
        screenSharing: flag(meeting.screenSharing ?? true),
        severalScreens: flag(meeting.severalScreens ?? false),
        lastSequence: 0,
      };
      await db.insertInto('meetings').values(row).execute();
      return fromRow(row);
    },
    async update(id, patch) {
      const { waitingRoom, recording, locked, unmuting, screenSharing, severalScreens, ...columns } = patch;
      const flags = { waitingRoom, recording, locked, unmuting, screenSharing, severalScreens };
      const row: Partial<MeetingRow> = { ...columns };
      for (const name of MEETING_FLAGS) {
        const value = flags[name];
        if (value !== undefined) row[name] = flag(value);
      }
      if (!Object.values(row).some((value) => value !== undefined)) return find(id);
      const updated = await db
        .updateTable('meetings')
        .set(row)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return updated && fromRow(updated);
    },
    async start(id, at = Date.now()) {
      const started = await db
        .updateTable('meetings')
        .set({ status: 'in-progress', startedAt: at })
        .where('id', '=', id)
        .where('status', '=', 'scheduled')
        .returningAll()
        .executeTakeFirst();
      if (started) return fromRow(started);
      return openMeeting(await find(id), id);
    },
    end(id, at = Date.now()) {
      return db.transaction().execute(async (trx) => {
        const ended = await trx
          .updateTable('meetings')
          .set({ status: 'ended', endedAt: at })
          .where('id', '=', id)
          .where('status', '<>', 'ended')
          .returningAll()
          .executeTakeFirst();
        if (!ended) {
          const row = await trx.selectFrom('meetings').selectAll().where('id', '=', id).executeTakeFirst();
          if (!row) throw meetingNotFound(id);
          return fromRow(row);
        }
        await trx
          .updateTable('participants')
          .set({ leftAt: at, leaveReason: 'meeting-ended' })
          .where('meetingId', '=', id)
          .where('leftAt', 'is', null)
          .execute();
        await endStreams(trx, { meetingId: id }, at);
        return fromRow(ended);
      });
    },
    async listOpen({ status, limit = DEFAULT_LIMIT } = {}) {
      const rows = await db
        .selectFrom('meetings')
        .selectAll()
        .where('status', 'in', status ? [status] : ['scheduled', 'in-progress'])
        .orderBy('createdAt', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute();
      return rows.map(fromRow);
    },
  };
}

/**
 * The meeting, when there is one that has not ended.
 * @throws MeetError `meeting-not-found`, `meeting-ended`
 */
export function openMeeting<M extends Pick<Meeting, 'status'>>(meeting: M | undefined, id: string): M {
  if (!meeting) throw meetingNotFound(id);
  if (meeting.status === 'ended') throw meetingEnded(id);
  return meeting;
}

/** The error where there is no meeting of this id. */
export function meetingNotFound(id: string): MeetError {
  return new MeetError('meeting-not-found', `There is no meeting ${id}.`);
}

/** The error where the meeting of this id is over. */
export function meetingEnded(id: string): MeetError {
  return new MeetError('meeting-ended', `The meeting ${id} has ended.`);
}

function fromRow({ lastSequence: _, ...row }: MeetingRow): Meeting {
  return {
    ...row,
    waitingRoom: row.waitingRoom === 1,
    recording: row.recording === 1,
    locked: row.locked === 1,
    unmuting: row.unmuting === 1,
    screenSharing: row.screenSharing === 1,
    severalScreens: row.severalScreens === 1,
  };
}

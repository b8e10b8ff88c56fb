import type { Kysely, SelectQueryBuilder } from 'kysely';
import { MeetError } from '../../protocol/errors.ts';
import { appendIn } from './append-messages.ts';
import { complete } from './full-messages.ts';
import type { Tables } from './tables.ts';
import type { Messages } from './types.ts';

const DEFAULT_LIMIT = 100;

export function messages(db: Kysely<Tables>): Messages {
  const appendAll: Messages['appendAll'] = (batch) => db.transaction().execute((trx) => appendIn(trx, batch));
  return {
    appendAll,
    async append(message) {
      const [result] = await appendAll([message]);
      if (result === undefined || result instanceof MeetError) throw result;
      return result;
    },
    async get(id) {
      const row = await db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();
      return row && (await complete(db, [row]))[0];
    },
    async page(meetingId, { after, before, limit = DEFAULT_LIMIT, visibleTo } = {}) {
      const backwards = before !== undefined && after === undefined;
      const rows = await db
        .selectFrom('messages')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .$if(after !== undefined, (query) => query.where('sequence', '>', after!))
        .$if(before !== undefined, (query) => query.where('sequence', '<', before!))
        .$if(visibleTo !== undefined, (query) => onlyVisible(query, visibleTo!))
        .orderBy('sequence', backwards ? 'desc' : 'asc')
        .limit(limit)
        .execute();
      return complete(db, backwards ? rows.reverse() : rows);
    },
    async last(meetingId) {
      const row = await db
        .selectFrom('meetings')
        .select('lastSequence')
        .where('id', '=', meetingId)
        .executeTakeFirst();
      return row?.lastSequence ?? 0;
    },
  };
}

function onlyVisible<O>(
  query: SelectQueryBuilder<Tables, 'messages', O>,
  visibleTo: string | null,
): SelectQueryBuilder<Tables, 'messages', O> {
  return query.where((column) =>
    column.or([
      column('recipientId', 'is', null),
      ...(visibleTo === null
        ? []
        : [column('recipientId', '=', visibleTo), column('senderId', '=', visibleTo)]),
    ]),
  );
}

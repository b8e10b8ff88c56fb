import type { Kysely, Transaction } from 'kysely';
import { newId } from './ids.ts';
import { openMeeting } from './meetings.ts';
import type { Tables } from './tables.ts';
import type { Message, Messages, NewMessage } from './types.ts';

const DEFAULT_LIMIT = 100;

/** Leaves the transaction so that the number it took is given back. */
class SentBefore extends Error {
  readonly original: Message;

  constructor(original: Message) {
    super('sent before');
    this.original = original;
  }
}

export function messages(db: Kysely<Tables>): Messages {
  return {
    async append(message) {
      try {
        return await db.transaction().execute((trx) => appendIn(trx, message));
      } catch (error) {
        if (error instanceof SentBefore) return error.original;
        throw error;
      }
    },
    get(id) {
      return db.selectFrom('messages').selectAll().where('id', '=', id).executeTakeFirst();
    },
    page(meetingId, { after = 0, limit = DEFAULT_LIMIT, visibleTo } = {}) {
      return db
        .selectFrom('messages')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .where('sequence', '>', after)
        .$if(visibleTo !== undefined, (query) =>
          query.where((column) =>
            column.or([
              column('recipientId', 'is', null),
              column('recipientId', '=', visibleTo ?? ''),
              column('senderId', '=', visibleTo ?? ''),
            ]),
          ),
        )
        .orderBy('sequence')
        .limit(limit)
        .execute();
    },
  };
}

/**
 * Taking the number locks the meeting's row until the commit, so numbers become visible in their order and two
 * copies of one message follow each other: the second one finds the first.
 */
async function appendIn(trx: Transaction<Tables>, message: NewMessage): Promise<Message> {
  const meeting = await trx
    .updateTable('meetings')
    .set((column) => ({ lastSequence: column('lastSequence', '+', 1) }))
    .where('id', '=', message.meetingId)
    .returning(['lastSequence', 'status'])
    .executeTakeFirst();
  const { lastSequence } = openMeeting(meeting, message.meetingId);
  const clientId = message.clientId ?? null;
  if (clientId !== null) {
    const original = await trx
      .selectFrom('messages')
      .selectAll()
      .where('senderId', '=', message.senderId)
      .where('clientId', '=', clientId)
      .executeTakeFirst();
    if (original) throw new SentBefore(original);
  }
  const row: Message = {
    id: message.id ?? newId(),
    meetingId: message.meetingId,
    sequence: lastSequence,
    senderId: message.senderId,
    recipientId: message.recipientId ?? null,
    content: message.content,
    fileId: message.fileId ?? null,
    createdAt: message.createdAt ?? Date.now(),
    clientId,
  };
  await trx.insertInto('messages').values(row).execute();
  return row;
}

/** Stores many messages in one transaction. */
import type { Transaction } from 'kysely';
import { MeetError } from '../../protocol/errors.ts';
import { fileOfRow } from './files.ts';
import { complete, distinct } from './full-messages.ts';
import { newId } from './ids.ts';
import { meetingNotFound, openMeeting } from './meetings.ts';
import type { FileRow, Tables } from './tables.ts';
import type { FullMessage, Message, NewMessage } from './types.ts';

/** Rows of one insert: ten values each, far below the 32,766 parameters of SQLite. */
const ROWS_AT_ONCE = 500;

/** What the messages of a batch refer to. */
interface Context {
  /** The last number given in each meeting, or why it takes no message. */
  readonly numbers: Map<string, number | MeetError>;
  /** Messages by sender and client's name. */
  readonly sent: Map<string, FullMessage>;
  /** Names by meeting and id. */
  readonly people: ReadonlyMap<string, string>;
  readonly answered: ReadonlyMap<string, Message>;
  readonly files: ReadonlyMap<string, FileRow>;
}

const keyOf = (...parts: readonly string[]) => parts.join(' ');

/**
 * Taking the numbers locks the meetings' rows until the commit, so numbers become visible in their order and two
 * copies of one message follow each other: the second one finds the first.
 */
export async function appendIn(
  trx: Transaction<Tables>,
  batch: readonly NewMessage[],
): Promise<(FullMessage | MeetError)[]> {
  // Always locked in the same order, so that no two batches wait for each other.
  const numbers = await lockMeetings(trx, distinct(batch.map(({ meetingId }) => meetingId)).sort());
  const context = { numbers, ...(await load(trx, batch)) };
  const added: FullMessage[] = [];
  const results = batch.map((message): FullMessage | MeetError => {
    try {
      const placed = place(message, context);
      if (placed.isNew) added.push(placed.message);
      return placed.message;
    } catch (error) {
      if (error instanceof MeetError) return error;
      throw error;
    }
  });
  for (let from = 0; from < added.length; from += ROWS_AT_ONCE) {
    const rows = added.slice(from, from + ROWS_AT_ONCE).map(rowOf);
    await trx.insertInto('messages').values(rows).execute();
  }
  for (const [meetingId, last] of numbers) {
    if (typeof last !== 'number' || !added.some((message) => message.meetingId === meetingId)) continue;
    await trx.updateTable('meetings').set({ lastSequence: last }).where('id', '=', meetingId).execute();
  }
  const fileIds = distinct(added.map(({ fileId }) => fileId));
  if (fileIds.length > 0)
    await trx.updateTable('files').set({ sent: 1 }).where('id', 'in', fileIds).execute();
  return results;
}

/** The message under its number, or the one that was sent before. */
function place(message: NewMessage, context: Context): { message: FullMessage; isNew: boolean } {
  const { meetingId, senderId } = message;
  const number = context.numbers.get(meetingId);
  if (typeof number !== 'number') throw number ?? meetingNotFound(meetingId);
  const clientId = message.clientId ?? null;
  const before = clientId === null ? undefined : context.sent.get(keyOf(senderId, clientId));
  if (before !== undefined) return { message: before, isNew: false };
  const full = describe(message, context, number + 1);
  context.numbers.set(meetingId, number + 1);
  if (clientId !== null) context.sent.set(keyOf(senderId, clientId), full);
  return { message: full, isNew: true };
}

/** @throws MeetError `bad-request`, `not-found` for what it refers to */
function describe(message: NewMessage, context: Context, sequence: number): FullMessage {
  const { meetingId, senderId, content, recipientId = null, replyTo = null, fileId = null } = message;
  if (content.includes('\0')) throw new MeetError('bad-request', 'Text cannot contain the NUL character.');
  const nameOf = (id: string) => {
    const name = context.people.get(keyOf(meetingId, id));
    if (name === undefined) throw new MeetError('not-found', 'There is no such participant.');
    return name;
  };
  const senderName = nameOf(senderId);
  const recipientName = recipientId === null ? null : nameOf(recipientId);
  const answered = replyTo === null ? undefined : context.answered.get(replyTo);
  if (replyTo !== null && !(answered?.meetingId === meetingId && sees(senderId, answered))) {
    throw new MeetError('not-found', 'There is no such message to answer.');
  }
  const file = fileId === null ? undefined : context.files.get(fileId);
  if (fileId !== null && !(file?.meetingId === meetingId && file.senderId === senderId)) {
    throw new MeetError('not-found', 'There is no such file of this participant.');
  }
  if (file !== undefined && (file.deletedAt !== null || file.expiresAt <= Date.now())) {
    throw new MeetError('file-expired', 'The file is no longer there.');
  }
  return {
    id: message.id ?? newId(),
    meetingId,
    sequence,
    senderId,
    senderName,
    recipientId,
    recipientName,
    content,
    replyTo,
    fileId,
    file: file === undefined ? null : fileOfRow({ ...file, sent: 1 }),
    createdAt: message.createdAt ?? Date.now(),
    clientId: message.clientId ?? null,
  };
}

const sees = (participantId: string, { senderId, recipientId }: Message) =>
  recipientId === null || recipientId === participantId || senderId === participantId;

const rowOf = ({ senderName: _, recipientName: __, file: ___, ...row }: FullMessage): Message => row;

async function lockMeetings(trx: Transaction<Tables>, ids: readonly string[]): Promise<Context['numbers']> {
  const numbers: Context['numbers'] = new Map();
  for (const id of ids) {
    const row = await trx
      .updateTable('meetings')
      .set((column) => ({ lastSequence: column.ref('lastSequence') }))
      .where('id', '=', id)
      .returning(['lastSequence', 'status'])
      .executeTakeFirst();
    try {
      numbers.set(id, openMeeting(row, id).lastSequence);
    } catch (error) {
      numbers.set(id, MeetError.from(error));
    }
  }
  return numbers;
}

async function load(
  trx: Transaction<Tables>,
  batch: readonly NewMessage[],
): Promise<Omit<Context, 'numbers'>> {
  const people = distinct(batch.flatMap(({ senderId, recipientId }) => [senderId, recipientId]));
  const found = await trx
    .selectFrom('participants')
    .select(['id', 'meetingId', 'displayName'])
    .where('id', 'in', people)
    .execute();
  const named = distinct(batch.map(({ clientId }) => clientId));
  const senders = distinct(batch.map(({ senderId }) => senderId));
  const sent =
    named.length === 0
      ? []
      : await complete(
          trx,
          await trx
            .selectFrom('messages')
            .selectAll()
            .where('senderId', 'in', senders)
            .where('clientId', 'in', named)
            .execute(),
        );
  const replies = distinct(batch.map(({ replyTo }) => replyTo));
  const answered =
    replies.length === 0
      ? []
      : await trx.selectFrom('messages').selectAll().where('id', 'in', replies).execute();
  const fileIds = distinct(batch.map(({ fileId }) => fileId));
  const files =
    fileIds.length === 0
      ? []
      : await trx.selectFrom('files').selectAll().where('id', 'in', fileIds).execute();
  return {
    people: new Map(found.map(({ id, meetingId, displayName }) => [keyOf(meetingId, id), displayName])),
    sent: new Map(sent.map((message) => [keyOf(message.senderId, message.clientId ?? ''), message])),
    answered: new Map(answered.map((message) => [message.id, message])),
    files: new Map(files.map((file) => [file.id, file])),
  };
}

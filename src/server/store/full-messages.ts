/** Messages with the names and files that belong to them. */
import type { Kysely } from 'kysely';
import { fileOfRow } from './files.ts';
import type { FileRow, Tables } from './tables.ts';
import type { FullMessage, Message } from './types.ts';

/** Each text once, without what is absent. */
export const distinct = (values: readonly (string | null | undefined)[]): string[] => [
  ...new Set(values.filter((value) => typeof value === 'string')),
];

/** Adds names and files. */
export async function complete(db: Kysely<Tables>, rows: readonly Message[]): Promise<FullMessage[]> {
  const people = distinct(rows.flatMap(({ senderId, recipientId }) => [senderId, recipientId]));
  const fileIds = distinct(rows.map(({ fileId }) => fileId));
  const names = new Map<string, string>();
  if (people.length > 0) {
    const found = await db
      .selectFrom('participants')
      .select(['id', 'displayName'])
      .where('id', 'in', people)
      .execute();
    for (const { id, displayName } of found) names.set(id, displayName);
  }
  const files = new Map<string, FileRow>();
  if (fileIds.length > 0) {
    const found = await db.selectFrom('files').selectAll().where('id', 'in', fileIds).execute();
    for (const file of found) files.set(file.id, file);
  }
  return rows.map((row) => {
    const file = row.fileId === null ? undefined : files.get(row.fileId);
    return {
      ...row,
      senderName: names.get(row.senderId) ?? '',
      recipientName: row.recipientId === null ? null : (names.get(row.recipientId) ?? ''),
      file: file === undefined ? null : fileOfRow(file),
    };
  });
}

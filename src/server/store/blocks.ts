import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { Blocks } from './types.ts';

export function blocks(db: Kysely<Tables>): Blocks {
  return {
    async add(block) {
      await db
        .insertInto('blocks')
        .values(block)
        .onConflict((conflict) => conflict.columns(['meetingId', 'participantId']).doNothing())
        .execute();
    },
    find(meetingId, { userId, address }) {
      return db
        .selectFrom('blocks')
        .selectAll()
        .where('meetingId', '=', meetingId)
        .where((column) =>
          userId === null ? column('address', '=', address) : column('userId', '=', userId),
        )
        .limit(1)
        .executeTakeFirst();
    },
    async remove(meetingId, participantId) {
      const { numDeletedRows } = await db
        .deleteFrom('blocks')
        .where('meetingId', '=', meetingId)
        .$if(participantId !== undefined, (query) => query.where('participantId', '=', participantId!))
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

import { type Kysely, sql } from 'kysely';
import { newId } from './ids.ts';
import type { Tables, UserRow } from './tables.ts';
import type { User, UserPreferences, Users } from './types.ts';

const DEFAULT_PREFERENCES: UserPreferences = {
  videoQuality: 'auto',
  notifications: { meetingReminder: true, recordingReady: true },
};

export function users(db: Kysely<Tables>): Users {
  const get = async (id: string) => {
    const row = await db.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
    return row && fromRow(row);
  };
  return {
    get,
    async create(user = {}) {
      const row: UserRow = {
        id: user.id ?? newId(),
        name: user.name ?? null,
        email: user.email ?? null,
        tier: user.tier ?? 'free',
        preferences: JSON.stringify({ ...DEFAULT_PREFERENCES, ...user.preferences }),
        createdAt: user.createdAt ?? Date.now(),
      };
      await db.insertInto('users').values(row).execute();
      return fromRow(row);
    },
    async ensure(id) {
      const row: UserRow = {
        id,
        name: null,
        email: null,
        tier: 'free',
        preferences: JSON.stringify(DEFAULT_PREFERENCES),
        createdAt: Date.now(),
      };
      await db
        .insertInto('users')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
      return (await get(id)) ?? fromRow(row);
    },
    async getByEmail(email) {
      const row = await db
        .selectFrom('users')
        .selectAll()
        .where(sql`lower(email)`, '=', sql`lower(${email})`)
        .executeTakeFirst();
      return row && fromRow(row);
    },
    update(id, patch) {
      return db.transaction().execute(async (trx) => {
        const before = await trx.selectFrom('users').selectAll().where('id', '=', id).executeTakeFirst();
        if (!before) return undefined;
        const { preferences, ...columns } = patch;
        const row = {
          ...columns,
          preferences: JSON.stringify({ ...JSON.parse(before.preferences), ...preferences }),
        };
        const after = await trx
          .updateTable('users')
          .set(row)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow();
        return fromRow(after);
      });
    },
  };
}

function fromRow(row: UserRow): User {
  // Preferences that were added after the row was written have their defaults.
  return { ...row, preferences: { ...DEFAULT_PREFERENCES, ...JSON.parse(row.preferences) } };
}

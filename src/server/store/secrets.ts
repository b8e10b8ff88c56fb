import type { Kysely } from 'kysely';
import type { Tables } from './tables.ts';
import type { Secrets } from './types.ts';

export function secrets(db: Kysely<Tables>): Secrets {
  return {
    async getOrCreate(name, create) {
      const find = () => db.selectFrom('secrets').select('value').where('name', '=', name).executeTakeFirst();
      const found = await find();
      if (found) return found.value;
      // Of two servers that start at once, one's value is kept and both read that one.
      await db
        .insertInto('secrets')
        .values({ name, value: create() })
        .onConflict((conflict) => conflict.column('name').doNothing())
        .execute();
      const kept = await find();
      if (!kept) throw new Error(`The secret ${name} was not kept.`);
      return kept.value;
    },
  };
}

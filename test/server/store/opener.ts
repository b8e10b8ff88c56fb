/** Started by open.test.ts: opens a store, prints how many migrations it ran, and ends. */
import { openStore, type StoreOptions } from '../../../src/server/store/index.ts';

let migrated = 0;
const store = await openStore(JSON.parse(process.argv[2] ?? '{}') as StoreOptions, {
  info: (fields) => {
    if ('migrations' in fields && Array.isArray(fields.migrations)) migrated += fields.migrations.length;
  },
  warn() {},
});
await store.meetings.create();
console.log(JSON.stringify({ migrated, open: (await store.meetings.listOpen()).length > 0 }));
await store.close();

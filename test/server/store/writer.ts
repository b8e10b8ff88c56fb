/** Started by crash.test.ts: appends messages without end and prints the number of each one acknowledged. */
import { writeSync } from 'node:fs';
import { openStore, type StoreOptions } from '../../../src/server/store/index.ts';

const [options = '{}', meetingId = '', senderId = ''] = process.argv.slice(2);
const store = await openStore(JSON.parse(options) as StoreOptions, { info() {}, warn() {} });
for (;;) {
  const { sequence } = await store.messages.append({ meetingId, senderId, content: 'x'.repeat(500) });
  writeSync(1, `${sequence}\n`);
}

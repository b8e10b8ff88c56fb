import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openStore } from '../../../src/server/store/index.ts';
import { describeEngines, silent } from './engines.ts';

describeEngines('a process killed while it writes to {engine}', (engine) => {
  test.each([1, 37, 150])('after %i rows leaves every acknowledged one', async (rows) => {
    const options = await engine.fresh();
    const store = await openStore(options, silent);
    const { id: meetingId } = await store.meetings.create();
    const { id: senderId } = await store.participants.add({ meetingId, displayName: 'Ann' });

    const writer = spawn(
      process.execPath,
      [fileURLToPath(new URL('./writer.ts', import.meta.url)), JSON.stringify(options), meetingId, senderId],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const exited = once(writer, 'exit');
    let acknowledged = 0;
    for await (const line of createInterface(writer.stdout)) {
      acknowledged = Number(line);
      if (acknowledged === rows) writer.kill('SIGKILL');
    }
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(acknowledged).toBeGreaterThanOrEqual(rows);

    const stored = await store.messages.page(meetingId, { limit: 1_000_000 });
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    // One more may have been stored whose acknowledgement was cut off.
    expect(stored.length - acknowledged).toBeOneOf([0, 1]);
    const next = await store.messages.append({ meetingId, senderId, content: 'after' });
    expect(next.sequence).toBe(stored.length + 1);
    await store.close();
  });
});

/** A server that is killed while people write: nobody loses a message, none comes twice, all have the same order. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createMeeting } from '../../../src/client/api.ts';
import { joinMeeting } from '../../../src/client/join.ts';
import type { MeetingClient } from '../../../src/client/meeting.ts';
import type { ChatMessage } from '../../../src/protocol/chat.ts';
import { openStore } from '../../../src/server/store/index.ts';
import { freePort } from '../../support/free-port.ts';
import { startServerProcess } from '../../support/server.ts';
import { silent } from '../store/engines.ts';

const WRITERS = 4;
const EACH = 12;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'meet-chat-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Someone in the meeting, and all that came to them. */
async function enter(meeting: string, displayName: string) {
  const client = await joinMeeting({ meeting, displayName, receive: 'none' });
  const received: ChatMessage[] = [];
  client.on('message', (message) => received.push(message));
  return { client, received };
}

/** Writes in turn to everyone and to one of the others. */
async function write(client: MeetingClient, name: string, others: readonly string[]): Promise<ChatMessage[]> {
  const sent = [];
  for (let i = 0; i < EACH; i++) {
    const to = i % 3 === 2 ? others[i % others.length] : undefined;
    sent.push(client.chat.send(`${name} ${i}`, to === undefined ? {} : { to }));
  }
  return await Promise.all(sent);
}

test.each([
  { at: 'stored', nth: 1 },
  { at: 'stored', nth: 9 },
  { at: 'broadcast', nth: 1 },
  { at: 'broadcast', nth: 17 },
] as const)(
  'killed when message $nth was $at',
  async (dieAt) => {
    const options = { dataDir: await folder(), port: await freePort(), chatRate: false } as const;
    const first = await startServerProcess(options, { dieAt });
    const { meeting } = await createMeeting(first.url, {});
    const people = await Promise.all(
      Array.from({ length: WRITERS }, (_, index) => enter(meeting.url, `Writer ${index}`)),
    );
    const ids = people.map(({ client }) => client.self.id);
    const writing = Promise.all(
      people.map(({ client }, index) =>
        write(
          client,
          `Writer ${index}`,
          ids.filter((id) => id !== client.self.id),
        ),
      ),
    );
    await first.exited;
    const second = await startServerProcess(options);
    onTestFinished(() => second.kill());
    const sent = (await writing).flat();

    const store = await openStore({ dataDir: options.dataDir }, silent);
    const stored = await store.messages.page(meeting.id, { limit: 1_000 });
    await store.close();
    // Each was stored once, and numbered without a gap.
    expect(stored.map(({ sequence }) => sequence)).toEqual(stored.map((_, index) => index + 1));
    expect(stored).toHaveLength(WRITERS * EACH);
    expect(new Set(stored.map(({ content }) => content)).size).toBe(WRITERS * EACH);
    expect(sent.map(({ id }) => id).sort()).toEqual(stored.map(({ id }) => id).sort());
    // Each reached those whom it is for once, in the order of the numbers.
    for (const { client, received } of people) {
      const own = client.self.id;
      const visible = stored.filter(
        ({ senderId, recipientId }) => recipientId === null || recipientId === own || senderId === own,
      );
      await expect.poll(() => received.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(visible.length);
      expect(received.map(({ content }) => content)).toEqual(visible.map(({ content }) => content));
    }
    await Promise.all(people.map(({ client }) => client.leave()));
  },
  60_000,
);

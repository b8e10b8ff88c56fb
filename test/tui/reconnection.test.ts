/** A server that dies under a chat in a terminal. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { freePort } from '../support/free-port.ts';
import { startServerProcess } from '../support/server.ts';
import { noTerminal } from '../support/terminal.ts';
import { openChat, say } from './terminals.ts';

describe.skipIf(noTerminal() !== undefined)('when the server dies', () => {
  test('both see it, what they write meanwhile arrives once and in order, and nothing is lost', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'meet-reconnection-'));
    onTestFinished(() => rm(dataDir, { recursive: true, force: true }));
    const options = { dataDir, port: await freePort(), rtcPort: await freePort() };
    const first = await startServerProcess(options);
    onTestFinished(() => first.kill());
    const { meeting } = await createMeeting(first.url, { title: 'Test' });
    const ada = await openChat(meeting.url, 'Ada');
    await ada.shows(/You are in/);
    const bob = await openChat(meeting.url, 'Bob');
    await ada.shows(/Bob is here/);
    await say(ada, 'before');
    await bob.shows(/Ada: before/);

    await first.kill();
    await ada.shows(/Connection lost \([\s\S]*reconnecting for \d+ s …/);
    await bob.shows(/reconnecting for \d+ s …/);
    for (const number of [1, 2, 3]) await say(ada, `while it was gone ${number}`);
    await ada.shows(/3 unsent/);

    const second = await startServerProcess(options);
    onTestFinished(() => second.kill());
    for (const terminal of [ada, bob]) {
      const screen = await terminal.shows(/Back after [\s\S]*gone 3/, 60_000);
      expect(screen.match(/: before/g)).toHaveLength(1);
      const said = Array.from(screen.matchAll(/while it was gone (\d)/g), ([, number]) => number);
      expect(said).toEqual(['1', '2', '3']);
      expect(screen).not.toMatch(/reconnecting for|unsent/);
    }
    await say(bob, 'after');
    await ada.shows(/Bob: after/);
  }, 120_000);
});

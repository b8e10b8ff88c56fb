/** Two people in terminals hold a meeting through a real server. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import type { ChatMessage } from '../../src/protocol/chat.ts';
import { alsaMicrophone } from '../support/alsa.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { noTerminal } from '../support/terminal.ts';
import { openChat, say, stable } from './terminals.ts';

describe.skipIf(noTerminal() !== undefined)('a conversation', () => {
  let server: TestServer;
  let folder: string;
  beforeAll(async () => {
    server = await startTestServer({ allowUnscanned: true });
    folder = await mkdtemp(join(tmpdir(), 'meet-conversation-'));
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  test.each([
    { columns: 80, lines: 24 },
    { columns: 200, lines: 60 },
  ])(
    'at $columns×$lines: everything that two people do',
    async ({ columns, lines }) => {
      const size = { columns, lines };
      const { meeting, hostToken } = await createMeeting(server.url, {
        title: 'Übung 練習',
        settings: { waitingRoom: true },
      });
      const { url } = meeting;
      const cwd = await mkdtemp(join(folder, 'ada-'));
      const ada = await openChat(url, 'Ada', { ...size, cwd, args: ['--host-token', hostToken] });
      await ada.shows(/You are in as Ada \(host\), nobody else/);
      // Whoever else is there must not see what is private.
      const overheard: ChatMessage[] = [];
      const eve = await joinMeeting({ meeting: url, displayName: 'Eve', receive: 'none', hostToken });
      onTestFinished(() => eve.leave());
      eve.on('message', (message) => overheard.push(message));
      await ada.shows(/Eve is here\./);

      const device = { ALSA_CONFIG_PATH: await alsaMicrophone(folder, 'tone') };
      const bob = await openChat(url, 'Bob', { ...size, env: device, args: ['--mic', 'tone'] });
      await bob.shows(/Waiting for a host to let you in/);
      expect(await bob.screen()).not.toMatch(/Ada|Eve/);
      await ada.shows(/✋ Bob waits to be let in: Ctrl-G admits/);
      await ada.type('', 'C-g');
      await bob.shows(/A host let you in\./);
      await ada.shows(/Bob is here\./);
      await bob.shows(/Bob \(you\) +M---/);

      await say(ada, 'Hello Bob, 日本語もできる 👍');
      await bob.shows(/Ada: Hello Bob, 日本語もできる 👍/);
      await bob.type('Thanks @ad');
      await bob.type('', 'Tab');
      await bob.shows(/> Thanks @Ada/);
      await say(bob, '!');
      await ada.shows(/»(?:#2 )?Bob: Thanks @Ada !/);

      await say(bob, '/msg Ada the key is below');
      await ada.shows(/Bob → you \(private\): the key is below/);
      await say(ada, '/reply found it');
      await bob.shows(/┌ Bob: the key is below *│?\n.*Ada → you \(private\): found it/);
      expect(overheard.map(({ content }) => content)).toEqual([
        'Hello Bob, 日本語もできる 👍',
        'Thanks @Ada !',
      ]);

      const notes = join(folder, 'notes.txt');
      await writeFile(notes, 'what was said\n');
      await say(bob, `/file ${notes} The notes`);
      await ada.shows(/Bob: The notes.*\n.*\[file\] notes\.txt \(14 B\), \/save #5/);
      await say(ada, '/save');
      await ada.shows(/Saved notes\.txt \(14 B\)\./);
      expect(await readFile(join(cwd, 'notes.txt'), 'utf8')).toBe('what was said\n');

      await say(bob, '/hand');
      await ada.shows(/Bob raised a hand\.[\s\S]*/);
      expect(await ada.screen()).toMatch(/│ Bob +M--H/);
      await say(bob, '/react tada');
      await ada.shows(/Bob: 🎉/);

      await say(ada, '/mute Bob');
      await bob.shows(/A host muted you\./);
      await ada.shows(/│ Bob +x--H/);
      await say(bob, '/unmute');
      await ada.shows(/│ Bob +M--H/);

      await say(ada, '/lock');
      await bob.shows(/· locked/);
      await expect(joinMeeting({ meeting: url, displayName: 'Late', receive: 'none' })).rejects.toMatchObject(
        {
          code: 'meeting-locked',
        },
      );
      await bob.shows(/The meeting is locked/);
      await ada.shows(/The meeting is locked/);
      await expect(stable(await bob.screen())).toMatchFileSnapshot(`screens/bob-${columns}x${lines}.txt`);

      await say(ada, '/remove Bob');
      await ada.shows(/Bob left\./);
      await bob.shows(/meet: A host removed you from the meeting.*\n[\s\S]*exit code 3$/i);
      await expect(stable(await ada.screen())).toMatchFileSnapshot(`screens/ada-${columns}x${lines}.txt`);
      await say(ada, '/quit');
      await ada.shows(/Left the meeting\.\nexit code 0$/);
    },
    120_000,
  );
});

/** The meeting in lines: for screen readers, pipes and scripts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createMeeting } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import { run } from '../support/meet-process.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { noTerminal } from '../support/terminal.ts';
import { openChat, say } from './terminals.ts';

let server: TestServer;
let folder: string;
beforeAll(async () => {
  server = await startTestServer({ allowUnscanned: true });
  folder = await mkdtemp(join(tmpdir(), 'meet-plain-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function meetingWith(displayName: string) {
  const { meeting, hostToken } = await createMeeting(server.url, { title: 'Test' });
  const client = await joinMeeting({ meeting: meeting.url, displayName, receive: 'none', hostToken });
  onTestFinished(() => client.leave());
  return { url: meeting.url, client };
}

/** A shell whose last word is the command, so that its input can be a pipe. */
const piped = (input: string, args: readonly string[]) =>
  run(args, { prefix: ['sh', '-c', `printf '${input}' | "$@"`, 'sh'] });

test('lines of a pipe are messages and commands in their order, and its end leaves', async () => {
  const { url, client } = await meetingWith('Ada');
  const heard: string[] = [];
  client.on('message', ({ content, recipientId }) =>
    heard.push(`${recipientId ? 'private ' : ''}${content}`),
  );
  await client.chat.send('two\nlines');
  const chat = await piped('one\\n/msg Ada two\\n/hand\\n/nonsense\\nthree\\n', [
    'chat',
    url,
    '--name',
    'Bob',
  ]);
  expect(chat.code).toBe(0);
  expect(heard.slice(1)).toEqual(['one', 'private two', 'three']);
  const lines = chat.stdout
    .replaceAll(/^\d\d:\d\d/gm, 'hh:mm')
    .trimEnd()
    .split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'hh:mm Ada: two',
      '      | lines',
      'hh:mm you: one',
      'hh:mm you privately to Ada: two',
      'hh:mm - There is no command /nonsense; /help lists what there is.',
      'hh:mm you: three',
      'Left the meeting.',
    ]),
  );
  expect(chat.stdout).not.toContain('\u001b');
});

test('--json gives every message whole, --quiet nothing but messages', async () => {
  const { url } = await meetingWith('Ada');
  const chat = await piped('hello\\n', ['chat', url, '--name', 'Bob', '--json']);
  expect(chat.all('joined')).toMatchObject([{ waiting: false }]);
  expect(chat.all('message')).toMatchObject([{ content: 'hello', senderName: 'Bob', sequence: 1 }]);
  expect(chat.all('left')).toMatchObject([{ reason: 'left' }]);
  const quiet = await piped('again\\n', ['chat', url, '--name', 'Bob', '--quiet']);
  expect(quiet.stdout.replaceAll(/^\d\d:\d\d/gm, 'hh:mm')).toBe('hh:mm Bob: hello\nhh:mm you: again\n');
});

test('what others write cannot look like a line of somebody else', async () => {
  const { url, client } = await meetingWith('A\u001b[31mda');
  await client.chat.send('hi\n12:00 Bob: forged\u001b[2J');
  const chat = await piped('x\\n', ['chat', url, '--name', 'Bob', '--plain']);
  expect(chat.stdout).toMatch(/A�\[31mda: hi\n {6}\| 12:00 Bob: forged�\[2J\n/);
});

describe.skipIf(noTerminal() !== undefined)('in a terminal with --plain', () => {
  test('lines come one below the other, without escape sequences', async () => {
    const { url, client } = await meetingWith('Ada');
    const bob = await openChat(url, 'Bob', { args: ['--plain'], env: { NO_COLOR: '' } });
    await bob.shows(/You are in as Bob, with Ada\./);
    const path = join(folder, 'plain.out');
    await bob.record(path);
    await client.chat.send('hello @bob');
    await bob.shows(/Ada, mentioning you: hello @bob/);
    await say(bob, 'hi');
    await bob.shows(/you: hi/);
    await say(bob, '/quit');
    await bob.shows(/Left the meeting\.\nexit code 0$/);
  });

  test('who is removed ends with 3, and when the meeting ends it is 0, whatever the input does', async () => {
    const { url, client } = await meetingWith('Ada');
    const [bob, eve] = await Promise.all(
      ['Bob', 'Eve'].map((name) => openChat(url, name, { args: ['--plain'] })),
    );
    await bob!.shows(/You are in/);
    await eve!.shows(/You are in/);
    const removed = [...client.participants.values()].find(({ name }) => name === 'Bob')!;
    await client.host.remove(removed.id);
    await bob!.shows(/meet: .+\n[\s\S]*exit code 3$/);
    await eve!.shows(/Bob left\./);
    // The end of the meeting may be here before the answer is.
    await client.host.end().catch(() => {});
    await eve!.shows(/The meeting has ended\.\nexit code 0$/);
  });
});

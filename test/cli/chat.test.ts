/** A meeting run from scripts: say, messages, participants, host, audit, token. */
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinMeeting } from '../../src/client/join.ts';
import type { MeetingClient } from '../../src/client/meeting.ts';
import type { ChatMessage } from '../../src/protocol/chat.ts';
import { create, meet, nothingLeft, run, serve, stopAll } from '../support/meet-process.ts';

let folder: string;
let data: string;
let url: string;
let meeting: Awaited<ReturnType<typeof create>>;
let ann: MeetingClient;
const heard: ChatMessage[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-chat-'));
  data = join(folder, 'data');
  ({ url } = await serve(data, ['--allow-unscanned', '--chat-rate', 'off']));
  meeting = await create(url);
  ann = await joinMeeting({ meeting: meeting.url, displayName: 'Ann', receive: 'none' });
  ann.on('message', (message) => heard.push(message));
}, 60_000);
afterAll(async () => {
  await ann?.leave();
  await stopAll();
  await nothingLeft();
});

const host = (...args: string[]) =>
  run(['host', meeting.url, ...args], { env: { MEET_HOST_TOKEN: meeting.hostToken } });

describe('meet say and meet messages', () => {
  test('a text, lines of stdin, a private one and a file are sent, and printed', async () => {
    expect((await run(['say', meeting.url, 'hello', '--name', 'Bob'])).code).toBe(0);
    const lines = await run(['say', meeting.url, '--json'], { input: 'one\n\ntwo\n' });
    expect(lines.events.map(({ event, content }) => [event, content])).toEqual([
      ['message', 'one'],
      ['message', 'two'],
    ]);
    await run(['say', meeting.url, 'psst', '--to', 'ann']);
    await writeFile(join(folder, 'plan.txt'), 'the plan');
    await run(['say', meeting.url, 'look', '--file', join(folder, 'plan.txt')]);
    await expect
      .poll(() => heard.map(({ content }) => content))
      .toEqual(['hello', 'one', 'two', 'psst', 'look']);
    expect(heard[0]?.senderName).toBe('Bob');
    const file = heard[4]?.file;
    const path = await ann.files.download(file?.id ?? '', folder);
    // The name is taken by what was sent.
    expect([path, await readFile(path, 'utf8')]).toEqual([join(folder, 'plan-2.txt'), 'the plan']);

    const printed = await run(['messages', meeting.url]);
    expect(printed.stdout).toMatch(/^[-0-9]{10} [0-9:]{8} Bob: hello\n/);
    expect(printed.stdout).not.toContain('psst');
    expect(printed.stdout).toContain('look\n  [plan.txt, 8 bytes]\n');
    const after = await run(['messages', meeting.url, '--json', '--after', '2']);
    expect(after.events.map(({ content }) => content)).toEqual(['two', 'look']);
  });

  test('--follow prints what was and what comes, and leaves with the meeting', async () => {
    const other = await create(url);
    await run(['say', other.url, 'before']);
    const following = meet(['messages', other.url, '--follow', '--json', '--name', 'Eve']);
    await following.waitFor('message', ({ content }) => content === 'before');
    await run(['say', other.url, 'for Eve', '--to', 'Eve']);
    await following.waitFor('message', ({ content }) => content === 'for Eve');
    await run(['host', other.url, 'end', '--host-token', other.hostToken]);
    expect((await following.exited).code).toBe(0);
  });

  test('nothing of what others write acts on the terminal', async () => {
    const other = await create(url);
    const eve = await joinMeeting({
      meeting: other.url,
      displayName: '\u001b]0;owned\u0007\u202eevE',
      receive: 'none',
    });
    await eve.chat.send('\u001b[2J\u009b31m\u202egnp.exe\rfake: line\u0000'.replace('\0', ''));
    for (const command of ['messages', 'participants']) {
      const { stdout, code } = await run([command, other.url]);
      expect(code).toBe(0);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
      expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
      expect(stdout).toContain('owned');
    }
    await eve.leave();
  });

  test('what cannot be is said in a sentence', async () => {
    const nobody = await run(['say', meeting.url, 'x', '--to', 'Nobody', '--json']);
    expect([nobody.code, nobody.error]).toMatchObject([1, { code: 'not-found' }]);
    const long = await run(['say', meeting.url, 'x'.repeat(16_385), '--json']);
    expect([long.code, long.error]).toMatchObject([1, { code: 'too-large' }]);
    const gone = await run(['say', meeting.url, '--file', join(folder, 'none'), '--json']);
    expect([gone.code, gone.error]).toMatchObject([2, { code: 'media-not-found' }]);
  });
});

describe('meet participants, meet host and meet audit', () => {
  test('list, mute, lock, remove and tell', async () => {
    const { code, events } = await run(['participants', meeting.url, '--json']);
    expect(code).toBe(0);
    expect(events[0]).toMatchObject({ participants: [{ name: 'Ann', role: 'participant' }] });
    expect((await host('lock')).stdout).toBe('Done.\n');
    const refused = await run(['say', meeting.url, 'x', '--json']);
    expect([refused.code, refused.error]).toMatchObject([3, { code: 'meeting-locked' }]);
    for (const args of [
      ['unlock'],
      ['mute-all', '--except-hosts'],
      ['promote', 'Ann'],
      ['screen-sharing', 'off'],
    ]) {
      expect((await host(...args)).code).toBe(0);
    }
    expect((await run(['participants', meeting.url])).stdout).toBe('Ann, co-host\n');
    const audit = await run(['audit', meeting.url, '--host-token', meeting.hostToken, '--json']);
    const said = audit.events.map(({ action, outcome }) => `${action} ${outcome}`);
    expect(said).toEqual(
      expect.arrayContaining(['create allowed', 'lock allowed', 'join refused', 'promote allowed']),
    );
    const text = await run(['audit', meeting.url, '--host-token', meeting.hostToken]);
    expect(text.stdout).toMatch(/ \(host\) {2}promote {2}Ann\n/);
  });

  test('what cannot be is said in a sentence', async () => {
    const outcomes = await Promise.all([
      run(['host', meeting.url, 'lock', '--json']),
      host('remove', '--json'),
      host('remove', 'Nobody', '--json'),
      host('dance', '--json'),
      host('unmuting', 'perhaps', '--json'),
      run(['audit', meeting.url, '--json']),
    ]);
    expect(outcomes.map(({ code, error }) => [code, error?.code])).toEqual([
      [2, 'bad-config'],
      [2, 'bad-config'],
      [1, 'not-found'],
      [2, 'bad-config'],
      [2, 'bad-config'],
      [2, 'bad-config'],
    ]);
  });
});

describe('meet token', () => {
  test('makes tokens that the server takes, for a meeting or to create one', async () => {
    const mint = async (...args: string[]) => {
      const { stdout, code, stderr } = await run(['token', '--data', data, ...args]);
      expect([code, stderr]).toEqual([0, '']);
      return stdout.trim();
    };
    const hostToken = await mint('--role', 'host', '--meeting', meeting.id, '--ttl', '5m');
    const locked = await run(['host', meeting.url, 'lock', '--host-token', hostToken]);
    expect(locked.code).toBe(0);
    await host('unlock');
    const coHost = await mint('--role', 'co-host', '--meeting', meeting.id, '--user', 'carol');
    const carol = await joinMeeting({
      meeting: meeting.url,
      displayName: 'Carol',
      hostToken: coHost,
      receive: 'none',
    });
    expect(carol.self.role).toBe('co-host');
    await carol.leave();
    const user = await mint('--user', 'dave');
    const reply = await fetch(`${url}/meetings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${user}`, 'content-type': 'application/json' },
      body: '{}',
    });
    expect(reply.status).toBe(201);
    const expired = await mint('--role', 'host', '--meeting', meeting.id, '--ttl', '1ms');
    await expect
      .poll(
        async () => (await run(['host', meeting.url, 'lock', '--host-token', expired, '--json'])).error?.code,
        {
          timeout: 15_000,
        },
      )
      .toBe('token-expired');
  }, 60_000);

  test('makes none without a key or a meeting', async () => {
    const none = await run(['token', '--data', join(folder, 'elsewhere'), '--json']);
    expect([none.code, none.error]).toMatchObject([2, { code: 'bad-config' }]);
    const nowhere = await run(['token', '--data', data, '--role', 'host', '--json']);
    expect([nowhere.code, nowhere.error]).toMatchObject([2, { code: 'bad-config' }]);
  });
});

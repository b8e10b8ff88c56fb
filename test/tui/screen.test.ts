/** The terminal client's screen under what it has to bear. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { createMeeting, requestJoin } from '../../src/client/api.ts';
import { joinMeeting } from '../../src/client/join.ts';
import type { MeetingClient } from '../../src/client/meeting.ts';
import { CLIPS } from '../../src/media/clips.ts';
import { openFile } from '../../src/media/file/open.ts';
import { columnsOf } from '../../src/tui/text/width.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { noTerminal, type Terminal } from '../support/terminal.ts';
import { openChat, say } from './terminals.ts';

/** Whoever else is in the meeting; leaves with the test. */
async function bystander(url: string, displayName: string): Promise<MeetingClient> {
  const client = await joinMeeting({ meeting: url, displayName, receive: 'none' });
  onTestFinished(() => client.leave());
  return client;
}

/** Columns at which the line between messages and people stands, in the rows that have it. */
function separators(screen: string): Set<number> {
  const rows = screen.split('\n').filter((line) => line.includes('│'));
  return new Set(rows.map((line) => columnsOf(line.slice(0, line.indexOf('│')))));
}

describe.skipIf(noTerminal() !== undefined)('the screen', () => {
  let server: TestServer;
  let folder: string;
  const newMeeting = async () => (await createMeeting(server.url, { title: 'Test' })).meeting.url;
  beforeAll(async () => {
    server = await startTestServer({ allowUnscanned: true });
    folder = await mkdtemp(join(tmpdir(), 'meet-screen-'));
  });
  afterAll(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  test('what others write does nothing to the terminal, and lines up', async () => {
    const url = await newMeeting();
    const ada = await openChat(url, 'Ada');
    await ada.shows(/You are in/);
    const eve = await bystander(url, 'E\u001b[2Jv\u202ee');
    await ada.shows(/│ E�\[2Jv�e /);
    await eve.chat.send('\u001b[2J\u001b]0;owned\u0007\u009b31mred');
    await eve.chat.send('bidi \u202eevil\u202c and \u2066more\u2069 end');
    await eve.chat.send('wide 全角文字 emoji 👍🏽 👨‍👩‍👧 ❤️ 🇫🇷 1️⃣ end');
    await eve.chat.send(`zalgo e${'\u0301'.repeat(500)} end`);
    await eve.chat.send('\r\n12:00 Bob: a forged line');
    await expect(eve.chat.send('half \ud800 a pair')).rejects.toMatchObject({ code: 'bad-request' });
    await expect(eve.chat.send('x'.repeat(1_000_000))).rejects.toMatchObject({ code: 'too-large' });
    await eve.chat.send(`${'日'.repeat(5_400)} the end of 16 KiB`);
    await ada.shows(/the end of 16/);
    await ada.type('', 'PageUp');
    await ada.shows(/lines below; PageDown goes there/);
    expect(separators(await ada.screen())).toEqual(new Set([51]));
    for (let page = 0; page < 60 && !/zalgo/.test(await ada.screen()); page += 1)
      await ada.type('', 'PageUp');
    const screen = await ada.shows(/zalgo/);
    expect(screen).toMatch(/: �\[2J�\]0;owned��31mred/);
    expect(screen).toMatch(/bidi �evil� and �more� end/);
    // A line of a message stands below its name, never where a name stands.
    expect(screen).toMatch(/\n {6}12:00 Bob: a forged line/);
    expect(separators(screen)).toEqual(new Set([51]));
    await say(ada, '/quit');
    await ada.shows(/exit code 0$/);
  });

  test('the size may change, down to very small and back', async () => {
    const url = await newMeeting();
    const ada = await openChat(url, 'Ada');
    await ada.shows(/You are in/);
    const bob = await bystander(url, 'Bob');
    await ada.shows(/Bob is here/);
    await bob.chat.send('A text that is long enough to be broken in a small window.');
    const before = await ada.shows(/small window\./);
    await ada.resize(120, 40);
    await ada.shows(/#1 Bob: A text that is long enough to be broken in a small window\. +│/);
    expect(separators(await ada.screen())).toEqual(new Set([89]));
    await ada.resize(30, 8);
    const small = await ada.shows(
      /Bob: A text that is long\n {6}enough to be broken in a\n {6}small window\./,
    );
    expect(small).not.toContain('│');
    await ada.type('still typing');
    await ada.shows(/> still typing$/);
    await ada.resize(80, 24);
    await ada.shows(/│People \(2\)/);
    const after = await ada.shows(/> still typing$/);
    const steady = (screen: string) => screen.replace(/^ \d.*$/m, '').replace(/^>.*/m, '');
    expect(steady(after)).toBe(steady(before));
  });

  test('a line can be edited, recalled and have several lines', async () => {
    const url = await newMeeting();
    const ada = await openChat(url, 'Ada');
    await ada.shows(/You are in/);
    await ada.paste('first line\nsecond line');
    await ada.shows(/> first line\n {2}second line$/);
    await ada.type('', 'Enter');
    await ada.shows(/you: first line *│\n {6}second line/);
    await ada.type('helo');
    await ada.type('', 'Left');
    await ada.type('l');
    await ada.type('', 'Enter');
    await ada.shows(/you: hello/);
    await ada.type('', 'Up', 'Up');
    await ada.shows(/> first line\n {2}second line$/);
    await ada.type('', 'C-c');
    await ada.shows(/>$/);
    await ada.type('/h');
    await ada.type('', 'Tab');
    await ada.shows(/\/hand \/help[\s\S]*> \/hand$/);
    await ada.type('', 'Tab', 'Enter');
    await ada.shows(/Ctrl-D leaves/);
    await say(ada, '/nonsense');
    await ada.shows(/There is no command \/nonsense; \/help lists/);
    await ada.type('', 'C-l');
    await ada.shows(/There is no command \/nonsense; \/help lists/);
    await ada.type('', 'C-c');
    await ada.shows(/exit code 130$/);
  });

  test('with 500 people the list shows as many as fit, and can be gone through', async () => {
    const url = await newMeeting();
    const ada = await openChat(url, 'Ada');
    await ada.shows(/You are in/);
    // Sockets alone: they listen to nothing, so that this process is not the 500 clients' work.
    const people: WebSocket[] = [];
    onTestFinished(() => people.forEach((socket) => void socket.terminate()));
    for (let batch = 0; batch < 25; batch += 1) {
      const joining = Array.from({ length: 20 }, async (_, i) => {
        const number = String(batch * 20 + i).padStart(3, '0');
        const { signalingUrl, token } = await requestJoin(
          { server: server.url, meetingId: url.split('/').at(-1)! },
          { displayName: `名前${number} of many` },
          {},
        );
        const socket = new WebSocket(signalingUrl, { headers: { authorization: `Bearer ${token}` } });
        await once(socket, 'open');
        return socket;
      });
      people.push(...(await Promise.all(joining)));
    }
    await ada.shows(/│People \(501\)/, 60_000);
    const screen = await ada.shows(/│\d+ more/);
    expect(separators(screen)).toEqual(new Set([51]));
    // Comings are told together, not in 500 lines.
    expect(screen).toMatch(/and \d+ others are/);
    for (let i = 0; i < 3; i += 1) await ada.type('', 'M-Down');
    await ada.shows(/│\d+ above, \d+ more/);
    await say(ada, '/who 名前499');
    await ada.shows(/1 here with "名前499":/);
    people[7]!.send(JSON.stringify({ type: 'state-update', id: 1, payload: { hand: true } }));
    await ada.shows(/名前007 of many raised a hand/);
    await ada.type('/msg 名前49');
    await ada.type('', 'Tab', 'Tab');
    await ada.shows(/> \/msg "名前491 of many"/);
  }, 180_000);

  describe('pictures', () => {
    const send = async (url: string, clip: number, displayName: string) => {
      const source = await openFile({ video: CLIPS[clip]!, loop: true, cacheDir: mediaCacheDir() });
      const client = await joinMeeting({ meeting: url, displayName, receive: 'none', source });
      onTestFinished(() => client.leave());
    };
    /** How many times pictures were drawn, of what the terminal was sent since. */
    const drawings = async (path: string) =>
      (await readFile(path, 'latin1').catch(() => '')).split('\u001b[?2026h\u001b7').length - 1;
    const waitForDrawings = async (path: string, count: number) => {
      const until = performance.now() + 30_000;
      while ((await drawings(path)) < count) {
        if (performance.now() > until) throw new Error(`Only ${await drawings(path)} pictures were drawn.`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const blocks = (screen: string) => screen.split('\n').map((line) => line.split('▀').length - 1);

    test('of the active speaker or of four, from the lowest layer, in 24-bit colour', async () => {
      const url = await newMeeting();
      await Promise.all([send(url, 0, 'Alice'), send(url, 1, 'Bob')]);
      const ada: Terminal = await openChat(url, 'Ada', {
        args: ['--video', '--layout', 'gallery'],
        env: { COLORTERM: 'truecolor', NO_COLOR: '' },
      });
      // Two side by side, with their names below.
      await ada.shows(/▀{36,} ?▀{36,}\n *(Alice|Bob) +(Alice|Bob)\n/);
      const path = join(folder, 'gallery.out');
      await ada.record(path);
      await waitForDrawings(path, 30);
      expect(await readFile(path, 'latin1')).toMatch(/\[38;2;\d+;\d+;\d+;48;2;\d+;\d+;\d+m/);
      await say(ada, '/stats');
      await ada.shows(/(Alice|Bob) camera 320x180 layer 0/);
      await say(ada, '/stats');
      // One alone is larger.
      await say(ada, '/layout speaker');
      await ada.shows(/^ *(Alice|Bob)(?! +(Alice|Bob)) *$/m);
      await say(ada, '/pin Bob');
      await ada.shows(/▀\n *Bob *$/m);
      await ada.resize(100, 40);
      await ada.shows(/· speaker[\s\S]*▀{60}\n *Bob *$/m);
      await say(ada, '/layout off');
      await ada.shows(/^((?!▀)[\s\S])*$/);
      expect(Math.max(...blocks(await ada.screen()))).toBe(0);
      await say(ada, '/quit');
      await ada.shows(/exit code 0$/);
    }, 90_000);

    test('in 256 colours, and without colour by denser characters', async () => {
      const url = await newMeeting();
      await send(url, 0, 'Alice');
      const some = await openChat(url, 'Some', { args: ['--video'], env: { NO_COLOR: '' } });
      await some.shows(/▀{20,}/);
      expect(await some.screen({ escapes: true })).toMatch(/\[38;5;\d+/);
      const none = await openChat(url, 'None', { args: ['--video'] });
      await none.shows(/^ *[ .:\-=+*#%@]{30,}\n[\s\S]*\n *Alice *$/m);
      expect(await none.screen({ escapes: true })).not.toMatch(/\[[\d;]*[34]8;/);
    }, 90_000);
  });
});

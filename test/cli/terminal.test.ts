/** The commands as a person at a terminal sees them. */
import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { barcodeClip } from '../support/barcode-clip.ts';
import { mediaCacheDir } from '../support/media-cache.ts';
import { create, meet, nothingLeft, run, serve, stopAll } from '../support/meet-process.ts';
import { noTerminal, Terminal } from '../support/terminal.ts';
import { workerBin } from '../support/worker.ts';

const BIN = fileURLToPath(new URL('../../bin/meet.js', import.meta.url));

async function open(words: string, env: Record<string, string> = {}): Promise<Terminal> {
  const terminal = await Terminal.open(`'${process.execPath}' '${BIN}' ${words}`, {
    env: {
      MEET_CACHE: mediaCacheDir(),
      MEET_CONFIG: '/nonexistent/meet.json',
      MEDIASOUP_WORKER_BIN: workerBin(),
      ...env,
    },
  });
  onTestFinished(() => terminal.close());
  return terminal;
}

describe.skipIf(noTerminal() !== undefined)('on a terminal', () => {
  let folder: string;
  let url: string;
  let clip: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meet-terminal-'));
    [{ url }, clip] = await Promise.all([
      serve(join(folder, 'data')),
      barcodeClip({ seconds: 4, width: 320, height: 180 }),
    ]);
  }, 60_000);
  afterAll(async () => {
    await stopAll();
    await nothingLeft();
  });

  test('join shows a line a second that fits 80 columns, what happens above it, and says goodbye', async () => {
    const meeting = await create(url);
    const terminal = await open(`join ${meeting.url} --name Ada --video ${clip} --loop`);
    await terminal.shows(/Joined \S+ as Ada\.\nAda +0 fps/);
    const bob = meet(['join', meeting.url, '--json', '--name', 'Bob', '--video', clip, '--loop']);
    const screen = await terminal.shows(/Bob is here\.\nAda +\d\d fps 320x180 .*from Bob/);
    const live = screen.split('\n').at(-1)!;
    expect(live).toMatch(
      /^Ada +\d+ fps 320x180 +↓ *\d+ ↑ *\d+ kbit\/s {2}loss \d+\.\d\d % {2}rtt \d+\.\d ms {2}from Bob$/,
    );
    expect(live.length).toBeLessThanOrEqual(80);
    expect(screen.match(/fps/g)).toHaveLength(1);
    await bob.stop();
    await terminal.shows(/Bob left\.\nAda/);
    await terminal.type('', 'C-c');
    await terminal.shows(/\^?C?Left the meeting\.\nexit code 130$/);
  }, 60_000);

  test('a meeting with a password asks for it, without showing it', async () => {
    const meeting = await create(url, ['--password', 'geheim']);
    const terminal = await open(`join ${meeting.url} --duration 1s`);
    await terminal.shows(/Password of the meeting:$/);
    await terminal.type('geheim', 'Enter');
    const screen = await terminal.shows(/exit code/);
    expect(screen).toMatch(/Joined .* as Guest\./);
    expect(screen).toMatch(/exit code 0$/);
    expect(screen).not.toContain('geheim');

    const wrong = await open(`join ${meeting.url}`);
    await wrong.shows(/Password of the meeting:$/);
    await wrong.type('Geheim', 'Enter');
    await wrong.shows(/meet: The password is wrong\.\n.*\nexit code 3$/);

    const given = await open(`join ${meeting.url} --duration 1s`, { MEET_PASSWORD: 'geheim' });
    expect(await given.shows(/exit code 0$/)).not.toContain('Password');

    const cancelled = await open(`join ${meeting.url}`);
    await cancelled.shows(/Password of the meeting:$/);
    await cancelled.type('', 'C-c');
    await cancelled.shows(/exit code 130$/);
  }, 60_000);

  test('Ctrl-C stops the server without cutting its streams, with nothing to complain of', async () => {
    const data = join(folder, 'stopped');
    const terminal = await open(`serve --host 127.0.0.1 --port 0 --data ${data}`, { MEET_RATE_LIMIT: 'off' });
    const [, listening] = /Listening on (\S+)/.exec(await terminal.shows(/Listening on \S+/)) ?? [];
    const meeting = await create(listening!);
    const args = ['--json', '--video', clip, '--loop', '--reconnect-timeout', '2s'];
    const ada = meet(['join', meeting.url, '--name', 'Ada', ...args]);
    await ada.waitFor('joined', undefined, 60_000);
    await terminal.type('', 'C-c');
    const screen = await terminal.shows(/exit code/);
    expect(screen.replace('^C', '')).toMatch(/^Listening .*\n.*\nStopping: .*\nexit code 0$/);
    expect(await readdir(data)).toContain('meet.db');
    // The first that she hears is the server's word, not the end of her media.
    expect(ada.all('reconnecting')[0]?.reason).toMatch(/stopping|shutting down/i);
    expect((await ada.exited).code).toBe(4);
  }, 60_000);

  test('colour is for terminals, and for those who do not mind it', async () => {
    const doctor = async (env: Record<string, string>) => {
      const terminal = await open('doctor', { MEET_PORT: '0', ...env });
      await terminal.shows(/clock .*\n(.*\n)*exit code/);
      return await terminal.screen({ escapes: true });
    };
    const green = '\u001b[32mok';
    expect(await doctor({})).toContain(green);
    expect(await doctor({ NO_COLOR: '1' })).not.toContain(green);
    expect(await doctor({ TERM: 'dumb' })).not.toContain(green);
    const piped = await run(['doctor', '--port', '0'], {
      env: { NO_COLOR: undefined, FORCE_COLOR: undefined },
    });
    expect(piped.stdout).not.toContain('\u001b');
  }, 60_000);
});

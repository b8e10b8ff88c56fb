/** What the README tells its readers to type, typed. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { CLIPS } from '../../src/media/clips.ts';
import { alsaMicrophone } from '../support/alsa.ts';
import { type MeetProcess, meet, run, stopAll } from '../support/meet-process.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly scripts: object;
};

const blocks = (language: string) =>
  Array.from(readme.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\`$`, 'gm')), ([, code]) => code!);

/** Every command of the README, in shell blocks or in the text. */
const commands = [
  ...blocks('sh').flatMap((block) => block.split('\n').map((line) => line.replace(/\s+#.*/, '').trim())),
  ...Array.from(readme.matchAll(/`(npm [^`]+|npx meet [^`]+)`/g), ([, command]) => command!),
].filter((command) => command !== '');

const of = (name: string) => commands.filter((command) => command.startsWith(`npx meet ${name}`));

/** The words after `npx meet`. */
const words = (command: string) =>
  Array.from(command.replace('npx meet ', '').matchAll(/"([^"]*)"|\S+/g), ([word, quoted]) => quoted ?? word);

/** Commands that write in a meeting and run it. */
const CHAT = ['say', 'messages', 'participants', 'host', 'audit'];

let folder: string;
let server: MeetProcess;
let serverUrl: string;
let meetingUrl: string;
let hostToken: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'readme-'));
  await copyFile(CLIPS[0], join(folder, 'talk.mp4'));
});

afterAll(stopAll);

test('knows every command', () => {
  const known = [
    ...['serve', 'create', 'join', 'chat', ...CHAT, 'record', 'load', 'doctor', 'setup', 'config'].flatMap(
      of,
    ),
    ...commands.filter((command) => /^npm (start|test|run|pack|install)\b/.test(command)),
  ];
  expect(commands.filter((command) => !known.includes(command))).toEqual([]);
});

test('npm scripts are there', () => {
  const named = commands.flatMap(
    (command) => /^npm (?:run )?(start|test|(?<=run )\w+)/.exec(command)?.[1] ?? [],
  );
  expect(named).toContain('start');
  expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named));
});

test('the package has the name that npm pack gives it', () => {
  const [name] = /\S+\.tgz$/.exec(commands.find((command) => command.startsWith('npm install')) ?? '') ?? [];
  expect(name).toBe(`${manifest.name}-${manifest.version}.tgz`);
});

test('links lead to files', () => {
  const targets = Array.from(readme.matchAll(/\]\((?!https?:)([^)#]+)/g), ([, target]) => target!);
  expect(targets.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
});

describe('a meeting', () => {
  test('is hosted', async () => {
    const here = ['--host', '127.0.0.1', '--port', '0', '--data', join(folder, 'data'), '--json'];
    server = meet([...words(of('serve').find((command) => command.includes('--port'))!), ...here]);
    serverUrl = String((await server.waitFor('listening', undefined, 60_000)).url);
  });

  test('is created, with the commands to join it', async () => {
    expect(of('create')).toHaveLength(1);
    const { code, stdout } = await run(words(of('create')[0]!.replace('http://127.0.0.1:8080', serverUrl)), {
      env: { npm_command: 'exec' },
    });
    expect(code).toBe(0);
    meetingUrl = stdout.split('\n')[0]!;
    hostToken = /--host-token (\S+)/.exec(stdout)?.[1] ?? '';
    const printed = Array.from(stdout.matchAll(/npx meet join .*/g), ([command]) => command);
    expect(printed).toHaveLength(2);
    for (const command of printed)
      expect((await run([...words(command), '--duration', '1s'], { cwd: folder })).code).toBe(0);
  });

  test.each(of('join'))('%s', async (command) => {
    const { code, stderr } = await run([...words(command.replace('URL', meetingUrl)), '--duration', '3s'], {
      cwd: folder,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each(CHAT.flatMap(of))('%s', async (command) => {
    const running = meet(words(command.replace('URL', meetingUrl).replace('TOKEN', hostToken)));
    if (command.includes('--follow')) {
      await expect.poll(() => running.stdout, { timeout: 15_000 }).toContain('Ada: See you at ten');
      expect(await running.stop()).toBe(130);
      return;
    }
    const { code } = await running.exited;
    expect({ code, stderr: running.stderr }).toEqual({ code: 0, stderr: '' });
  });

  test.each(of('chat'))('%s', async (command) => {
    // Its input is at its end, so it leaves; what sound devices there are is a matter of the machine.
    const env = { ALSA_CONFIG_PATH: await alsaMicrophone(folder, 'default'), SDL_AUDIODRIVER: 'dummy' };
    const { code, stdout, stderr } = await run(words(command.replace('URL', meetingUrl)), { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/You are in as Ada[\s\S]*Left the meeting\.\n$/);
  });

  test('is saved, each track in a file of its own', async () => {
    const save = of('join').find((command) => command.includes('--save'))!;
    const sender = meet(['join', meetingUrl, '--test-pattern', '--json']);
    await sender.waitFor('joined');
    await run([...words(save.replace('URL', meetingUrl)), '--duration', '4s'], { cwd: folder });
    await sender.stop();
    const saved = await readdir(join(folder, words(save).at(words(save).indexOf('--save') + 1)!));
    expect(saved.filter((name) => /\.(webm|mkv)$/.test(name)).length).toBeGreaterThanOrEqual(2);
  });
});

describe('a recording', () => {
  test.each(of('record '))('%s', async (command) => {
    const sender = meet(['join', meetingUrl, '--test-pattern', '--json']);
    await sender.waitFor('joined');
    const here = words(command.replace('URL', meetingUrl).replace('TOKEN', hostToken));
    const { code, stderr } = await run([...here, '--duration', '4s'], { cwd: folder });
    await sender.stop();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await stat(join(folder, here[here.indexOf('--out') + 1]!))).size).toBeGreaterThan(50_000);
  });

  test.each(of('recordings'))('%s', async (command) => {
    const { code, stderr } = await run(words(command), { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });
});

test.each(of('load'))(
  '%s',
  async (command) => {
    const here = words(command.replace('http://127.0.0.1:8080', serverUrl));
    // What a busy machine does to the tester is no fault of the command's.
    const { code, stderr } = await run([...here, '--max-lag', '1h'], { cwd: folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const report = words(command).at(words(command).indexOf('--html') + 1)!;
    expect(readFileSync(join(folder, report), 'utf8')).toMatch(/^<!doctype html>/);
  },
  120_000,
);

test.each([...new Set(['doctor', 'setup', 'config'].flatMap(of))])('%s', async (command) => {
  // Port 8080 may be taken on this machine, which is no fault of the doctor's.
  const { code, stderr } = await run(words(command), { env: { MEET_PORT: '0' } });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
});

describe('the program', () => {
  const [example = '', ...others] = blocks('ts');

  beforeAll(async () => {
    // As after an installation of the package.
    await mkdir(join(folder, 'node_modules'));
    await symlink(ROOT, join(folder, 'node_modules', 'meet'));
    await writeFile(join(folder, 'package.json'), '{"type":"module"}');
    const code = [
      example.replace('http://127.0.0.1:8080', serverUrl),
      'console.log(meeting.url);',
      "process.once('SIGTERM', () => void client.leave());",
    ].join('\n');
    await writeFile(join(folder, 'listener.ts'), code);
  });

  test('is the only one', () => {
    expect(example).toContain("from 'meet'");
    expect(others).toEqual([]);
  });

  test('has the right types', () => {
    const options = ['--strict', '--noEmit', '--module', 'nodenext', '--target', 'es2024'];
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, 'listener.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });

  test('hears and sees', async () => {
    const program = spawn(process.execPath, ['listener.ts'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    let output = '';
    const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
      for (;;) {
        const found = pattern.exec(output);
        if (found) return found;
        const [text] = (await once(program.stdout, 'data', { signal: AbortSignal.timeout(30_000) })) as [
          string,
        ];
        output += text;
      }
    };
    program.stdout.setEncoding('utf8');
    const [url] = await until(/^http.*$/m);
    const sender = meet(['join', url, '--test-pattern', '--json']);
    await until(/^audio opus \d+ \d+/m);
    await until(/^video \w+ \d+ \d+/m);
    await sender.stop();
    program.kill('SIGTERM');
    await until(/^left$/m);
  });
});

/** The config file, and which of flag, environment, config file and default decides. */
import { mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { run } from '../support/meet-process.ts';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-config-'));
  file = join(folder, 'below', 'settings.json');
});

const config = (words: string, env: Record<string, string> = {}) =>
  run(['config', ...words.split(' ')], { env: { MEET_CONFIG: file, ...env }, cwd: folder });
const save = async (values: unknown) => {
  await mkdir(join(folder, 'below'), { recursive: true });
  await writeFile(file, typeof values === 'string' ? values : JSON.stringify(values));
};

describe('meet config', () => {
  test('sets, shows and unsets values, in a file that only its owner reads', async () => {
    expect((await config('list')).stdout).toMatch(/^Nothing is set/);
    expect(await config('set server http://127.0.0.1:3')).toMatchObject({
      code: 0,
      stdout: 'server=http://127.0.0.1:3\n',
      stderr: '',
    });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await config('set port 9000')).toMatchObject({ code: 0 });
    expect((await config('list')).stdout).toBe('server=http://127.0.0.1:3\nport=9000\n');
    expect((await config('list --json')).events).toEqual([{ server: 'http://127.0.0.1:3', port: '9000' }]);
    expect((await config('get port')).stdout).toBe('9000\n');
    expect((await config('get port --json')).events).toEqual([{ port: '9000' }]);
    expect(await config('set name Ada --quiet')).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(await config('unset port')).toMatchObject({ code: 0, stdout: 'port is no longer set.\n' });
    expect(await config('get port')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'meet: port is not set.\n',
    });
    expect((await config('get port --json')).error).toMatchObject({ code: 'not-found' });
    expect((await config('path')).stdout).toBe(`${file}\n`);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ server: 'http://127.0.0.1:3', name: 'Ada' });
  });

  test('keeps folders by their whole path, wherever they are used from', async () => {
    await config('set data here');
    expect((await config('get data')).stdout).toBe(`${join(folder, 'here')}\n`);
  });

  test('says of a file that cannot be used which one and why', async () => {
    await save('{"port": 80');
    for (const words of ['list', 'set port 1'])
      expect(await config(words)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`${file} is not a JSON`),
      });
    expect(await readFile(file, 'utf8')).toBe('{"port": 80');
    await save([1]);
    expect(await config('list')).toMatchObject({ code: 2 });
    await save({ port: 'many' });
    const served = await run(['serve', '--json'], { env: { MEET_CONFIG: file } });
    expect(served.code).toBe(2);
    expect(served.error?.message).toBe(`In ${file}, port cannot be "many". Give a port from 0 to 65535.`);
    const denied = await config('set port 1', { MEET_CONFIG: '/dev/null/config.json' });
    expect(denied).toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be read or written/) });
  });
});

describe('precedence', () => {
  /** Where `meet create` went, from its complaint that nobody is there. */
  const asked = async (args: readonly string[], env: Record<string, string>) => {
    const command = await run(['create', '--json', ...args], { env: { MEET_SERVER: undefined, ...env } });
    expect(command.code).toBe(4);
    return /http:\S+(?=:)/.exec(command.error?.message ?? '')?.[0];
  };

  test('flag before environment before config file before default', async () => {
    await save({ server: 'http://127.0.0.1:3' });
    const inFile = { MEET_CONFIG: file };
    const inBoth = { ...inFile, MEET_SERVER: 'http://127.0.0.1:2' };
    const flag = ['--server', 'http://127.0.0.1:1'];
    expect(await asked(flag, inBoth)).toBe('http://127.0.0.1:1');
    expect(await asked([], inBoth)).toBe('http://127.0.0.1:2');
    expect(await asked([], inFile)).toBe('http://127.0.0.1:3');
    expect(await asked([], {})).toBe('http://127.0.0.1:8080');
    // A variable that is set to nothing is not set.
    expect(await asked([], { ...inFile, MEET_SERVER: '' })).toBe('http://127.0.0.1:3');
  });

  test('a wrong value in the environment is named', async () => {
    const { code, stderr } = await run(['serve'], { env: { MEET_PORT: 'x' } });
    expect(code).toBe(2);
    expect(stderr).toMatch(/'x' from env 'MEET_PORT' is invalid\. Give a port/);
  });
});

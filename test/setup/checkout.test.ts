/** bin/meet.js and the scripts behind `npm start` and `npm test`, in a checkout made for the purpose. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { isRunning } from './running.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const checkoutNode = join(root, 'node_modules', 'node', 'bin', 'node');

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'checkout-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** A program of this repository, ended with the test. */
function start(program: string, args: string[], env: NodeJS.ProcessEnv = process.env) {
  const child = spawn(program, args, { cwd: folder, env, stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function ended(child: ChildProcessWithoutNullStreams) {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const run = (program: string, args: string[], env?: NodeJS.ProcessEnv) => ended(start(program, args, env));

/** A Node of this machine that is older than the package wants. */
function oldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node'].find((path) => {
    if (!existsSync(path)) return false;
    const major = Number(execFileSync(path, ['-p', 'process.versions.node']).toString().split('.')[0]);
    return major < 22;
  });
}

describe('bin/meet.js', () => {
  const old = oldNode();

  function makeCheckout(main: string): string {
    cpSync(join(root, 'bin'), join(folder, 'bin'), { recursive: true });
    cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
    write('package.json', '{"type":"module"}');
    write('dist/cli/main.js', main);
    return join(folder, 'bin', 'meet.js');
  }

  function addNode(): void {
    mkdirSync(join(folder, 'node_modules', 'node', 'bin'), { recursive: true });
    symlinkSync(checkoutNode, join(folder, 'node_modules', 'node', 'bin', 'node'));
  }

  test('runs the command line and exits with its code', async () => {
    const meet = makeCheckout(
      'export const main = async (argv) => { console.log(argv.slice(2).join()); return 3; };',
    );
    expect(await run(checkoutNode, [meet, 'join', '--loop'])).toEqual({
      code: 3,
      stdout: 'join,--loop\n',
      stderr: '',
    });
  });

  test('says how a checkout that is not built yet is built', async () => {
    const meet = makeCheckout('');
    rmSync(join(folder, 'dist'), { recursive: true });
    const { code, stderr } = await run(checkoutNode, [meet]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^meet is not built yet: run `npm run build` in .* and try again\.\n$/);
  });

  test.skipIf(old === undefined)(
    "passes over to the checkout's Node when the machine's is too old",
    async () => {
      const meet = makeCheckout(
        'export const main = async (argv) => { console.log(process.version, argv[2]); return 4; };',
      );
      addNode();
      const { code, stdout } = await run(old!, [meet, 'doctor']);
      expect(code).toBe(4);
      expect(stdout).toMatch(/^v24\.\d+\.\d+ doctor\n$/);
    },
  );

  test.skipIf(old === undefined)('passes a signal on once and waits for a graceful end', async () => {
    const meet = makeCheckout(`
      export const main = async () => {
        let count = 0;
        process.on('SIGINT', () => count += 1);
        console.log('ready');
        while (count === 0) await new Promise((resolve) => setTimeout(resolve, 10));
        await new Promise((resolve) => setTimeout(resolve, 200));
        console.log('interrupted ' + count);
        return 130;
      };`);
    addNode();
    const child = start(old!, [meet]);
    child.stdout.once('data', () => {
      // npm and a terminal both send it.
      child.kill('SIGINT');
      setTimeout(() => child.kill('SIGINT'), 50);
    });
    const { code, stdout } = await ended(child);
    expect(stdout).toBe('ready\ninterrupted 1\n');
    expect(code).toBe(130);
  });

  test.skipIf(old === undefined)('ends what it has started when it is killed itself', async () => {
    const meet = makeCheckout(`
      export const main = async () => {
        process.on('SIGTERM', () => { console.log('told'); process.exit(0); });
        console.log('ready');
        await new Promise((resolve) => setTimeout(resolve, 60000));
      };`);
    addNode();
    const child = start(old!, [meet]);
    child.stdout.once('data', () => child.kill('SIGKILL'));
    // The pipe closes when the last process that holds it has ended.
    expect((await ended(child)).stdout).toBe('ready\ntold\n');
  });

  test('ends when the shell that npx started it in has ended', async () => {
    const meet = makeCheckout(`
      export const main = async () => {
        process.on('SIGTERM', () => { console.log('told'); process.exit(0); });
        console.log('ready');
        await new Promise((resolve) => setTimeout(resolve, 60000));
      };`);
    // The second command keeps the shell from becoming the first one.
    const shell = start('sh', ['-c', '"$0" "$1"; true', checkoutNode, meet], {
      ...process.env,
      npm_command: 'exec',
    });
    shell.stdout.once('data', () => shell.kill('SIGTERM'));
    expect((await ended(shell)).stdout).toBe('ready\ntold\n');
  });

  test.skipIf(old === undefined)('says what is needed where there is no newer Node', async () => {
    const meet = makeCheckout('');
    expect((await run(old!, [meet])).stderr).toMatch(
      /^meet needs Node 22\.19 or newer and this is 20\.\S+: run `npm run build` in .*\n$/,
    );
    rmSync(join(folder, 'scripts'), { recursive: true });
    const { code, stderr } = await run(old!, [meet]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /install a newer one from https:\/\/nodejs\.org, or `npm install node` beside meet\.\n$/,
    );
  });
});

describe('the build', () => {
  const buildSources = `import { buildSources } from './scripts/setup/build.js';
    try { await buildSources(); } catch (error) { console.log(error.log); console.log(error.message); process.exitCode = 1; }`;

  beforeEach(() => {
    cpSync(join(root, 'scripts'), join(folder, 'scripts'), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    for (const name of ['tsconfig.json', 'tsconfig.build.json']) cpSync(join(root, name), join(folder, name));
    write('package.json', '{"type":"module"}');
    write('package-lock.json', '{}');
    write('src/page.html', '<p>');
    write('src/index.ts', 'export const answer: number = 42;\n');
    write('src/old.ts', 'export {};\n');
  });

  const build = () => run(checkoutNode, ['--input-type=module', '-e', buildSources]);

  test('bundles, declares, copies what is no TypeScript, and does nothing the second time', async () => {
    expect(await build()).toMatchObject({ code: 0, stderr: expect.stringMatching(/^building … /) });
    expect(readFileSync(join(folder, 'dist', 'index.js'), 'utf8')).toContain('answer = 42');
    expect(readFileSync(join(folder, 'dist', 'page.html'), 'utf8')).toBe('<p>');
    expect(await build()).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('removes what a deleted source had become', async () => {
    await build();
    expect(existsSync(join(folder, 'dist', 'old.d.ts'))).toBe(true);
    rmSync(join(folder, 'src', 'old.ts'));
    rmSync(join(folder, 'src', 'page.html'));
    await build();
    for (const name of ['old.d.ts', 'page.html']) {
      expect(existsSync(join(folder, 'dist', name))).toBe(false);
    }
    expect(existsSync(join(folder, 'dist', 'index.js'))).toBe(true);
  });

  test('ends in a sentence below the errors when a source is wrong, and tries again the next time', async () => {
    write('src/index.ts', "export const answer: number = 'x';\n");
    for (const attempt of [1, 2]) {
      const { code, stdout } = await build();
      expect(code, `attempt ${attempt}`).toBe(1);
      expect(stdout).toContain('src/index.ts(1,14)');
      expect(stdout).toMatch(/The sources do not compile: mend what is listed above\.\n$/);
    }
  });
});

describe('the counts of a test run', () => {
  const runTests = `import { runVitest } from '${root}/scripts/test/vitest.js';
    const counts = await runVitest({ node: process.execPath, vitest: '${root}/node_modules/vitest/vitest.mjs',
      cwd: process.cwd(), args: process.argv.slice(1), limitMs: Number(process.env.LIMIT_MS ?? 60000) });
    console.log(JSON.stringify(counts));`;

  async function count(env: NodeJS.ProcessEnv = {}) {
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const inherited = Object.entries(process.env).filter(([key]) => !/^(VITEST|TEST|MEET_TEST)/.test(key));
    const environment = { ...Object.fromEntries(inherited), ...env };
    const { stdout } = await run(checkoutNode, ['--input-type=module', '-e', runTests], environment);
    const counts: unknown = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '');
    return { stdout, counts };
  }

  const vitest = "import { afterAll, beforeAll, describe, expect, test } from 'vitest';\n";

  test('have what passed, failed and was skipped, todo included', async () => {
    write('a.test.js', `${vitest}test('a', () => {}); test('b', () => expect(1).toBe(2)); test.todo('c');`);
    write('b.test.js', `${vitest}test('d', () => {}); test('e', ({ skip }) => skip('no coturn here'));`);
    const { counts, stdout } = await count();
    expect(counts).toEqual({ passed: 2, failed: 1, skipped: 2 });
    expect(stdout).toContain('    failed: b: expected 1 to be 2');
    expect(stdout).toContain('skipped: no coturn here');
    expect(stdout).toMatch(/✗ a\.test\.js {2}1 passed, 1 failed, 1 skipped/);
  });

  test('count a file that cannot be loaded and a hook that fails', async () => {
    write('a.test.js', "import './missing.js';");
    write(
      'b.test.js',
      `${vitest}describe('x', () => { beforeAll(() => { throw new Error('hook'); }); test('a', () => {}); });`,
    );
    write('c.test.js', `${vitest}test('a', () => {});`);
    const { counts } = await count();
    expect(counts).toEqual({ passed: 1, failed: 2, skipped: 1 });
  });

  test('count an error outside of any test', async () => {
    write(
      'a.test.js',
      `${vitest}test('a', async () => { void Promise.reject(new Error('loose')); await new Promise((r) => setTimeout(r, 50)); });`,
    );
    const { counts, stdout } = await count();
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(stdout).toContain('loose');
  });

  test('are a failure when vitest is killed, of which no file stays', async () => {
    write(
      'a.test.js',
      `${vitest}import { writeFileSync } from 'node:fs'; import { tmpdir } from 'node:os';
      test('a', () => {
        writeFileSync(tmpdir() + '/left', '');
        process.kill(process.ppid, 'SIGKILL');
        return new Promise(() => {});
      });`,
    );
    mkdirSync(join(folder, 'tmp'));
    const { counts, stdout } = await count({ TMPDIR: join(folder, 'tmp') });
    expect(counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
    expect(stdout).toContain('vitest ended with SIGKILL before its tests did.');
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  test('are a failure when there was no test', async () => {
    write('vitest.config.js', "export default { test: { include: ['none/*.test.js'] } };");
    expect((await count()).counts).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('are a failure when the run takes too long, with what it had counted', async () => {
    write('a.test.js', `${vitest}test('a', () => {});`);
    write('b.test.js', `${vitest}test('b', () => new Promise(() => {}), 60000);`);
    write(
      'vitest.config.js',
      'export default { test: { maxWorkers: 1, fileParallelism: false, sequence: { shuffle: false } } };',
    );
    const { counts, stdout } = await count({ LIMIT_MS: '4000' });
    expect(counts).toMatchObject({ failed: 1 });
    expect(stdout).toContain('took longer than');
  });

  test('are a failure when a process is left, which is named and ended', async () => {
    write(
      'a.test.js',
      `${vitest}import { spawn } from 'node:child_process'; import { writeFileSync } from 'node:fs';
      test('a', () => {
        const child = spawn('sleep', ['321'], { detached: true, stdio: 'ignore' });
        child.unref();
        writeFileSync('pid', String(child.pid));
      });`,
    );
    const { counts, stdout } = await count();
    const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
    expect(counts).toEqual({ passed: 1, failed: 1, skipped: 0 });
    expect(stdout).toContain(`${pid} sleep 321`);
    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});

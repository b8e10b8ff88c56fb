import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type ProvideWorkerOptions, provideWorker, type WorkerProgress } from '../../../src/setup/index.ts';
import { isRunning } from '../running.ts';
import {
  cachedPath,
  fakeTarget,
  SCRIPT,
  tarball,
  VERSION,
  writeProgram,
  writeProject,
} from './fake-target.ts';
import { findProgram } from './find-program.ts';

const NOT_INSTALLED =
  'ninja-build pkg-config libuv1-dev libssl-dev libsrtp2-dev libflatbuffers-dev flatbuffers-compiler libabsl-dev';

let folder: string;
let cacheDir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provide-'));
  cacheDir = join(folder, 'cache');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

function provide(options: Partial<ProvideWorkerOptions> = {}): Promise<string> {
  return provideWorker({
    cacheDir,
    target: fakeTarget(folder),
    env: process.env,
    releases: false,
    allowBuild: false,
    ...options,
  });
}

/** An HTTP server in the place of mediasoup's releases. */
async function releases(answer: RequestListener): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/download`, asked };
}

/** A PATH with these of the machine's programs only. */
async function pathWith(...programs: string[]): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  for (const program of programs) await symlink(findProgram(program), join(bin, program));
  return bin;
}

describe('a worker that is given', () => {
  test('is used and nothing else is looked at', async () => {
    const given = await writeProgram(join(folder, 'given'), SCRIPT);
    expect(await provide({ workerBin: given })).toBe(given);
    expect(existsSync(cacheDir)).toBe(false);
  });

  test.each([
    ['is not there', async () => join(folder, 'none'), /none does not exist: set MEDIASOUP_WORKER_BIN/],
    [
      'is not executable',
      async () => {
        const path = await writeProgram(join(folder, 'plain'), SCRIPT);
        await chmod(path, 0o644);
        return path;
      },
      /is not executable/,
    ],
    [
      'is another program',
      async () => writeProgram(join(folder, 'other'), '#!/bin/sh\n'),
      /does not run on this machine as a mediasoup worker/,
    ],
    [
      'has another version',
      async () => writeProgram(join(folder, 'old'), SCRIPT.replace('9.9.9', '9.9.8')),
      /is version 9\.9\.8, not 9\.9\.9/,
    ],
  ])('is refused when it %s', async (_, make, sentence) => {
    const refused = provide({ workerBin: await make() });
    await expect(refused).rejects.toMatchObject({ code: 'worker-missing', message: sentence });
  });
});

describe('a worker that is there already', () => {
  test('is taken from the cache before anything else', async () => {
    await writeProgram(fakeTarget(folder).packagedBin, SCRIPT);
    await writeProgram(cachedPath(cacheDir), SCRIPT);
    expect(await provide()).toBe(cachedPath(cacheDir));
  });

  test("is taken from mediasoup's own package when its install script has run", async () => {
    const packaged = await writeProgram(fakeTarget(folder).packagedBin, SCRIPT);
    expect(await provide()).toBe(packaged);
  });

  test('is replaced when it no longer runs, for instance for want of a shared library', async () => {
    await writeProgram(cachedPath(cacheDir), '#!/bin/sh\nexit 127\n');
    const { url } = await releases((_, response) => response.end(tarball('mediasoup-worker', SCRIPT)));
    expect(await provide({ releases: url })).toBe(cachedPath(cacheDir));
    expect(await readFile(cachedPath(cacheDir), 'utf8')).toBe(SCRIPT);
  });
});

describe("mediasoup's official worker", () => {
  test('is downloaded, tried and cached', async () => {
    const { url, asked } = await releases((_, response) => response.end(tarball('mediasoup-worker', SCRIPT)));
    const progress: WorkerProgress[] = [];
    expect(await provide({ releases: url, onProgress: (event) => progress.push(event) })).toBe(
      cachedPath(cacheDir),
    );
    expect(asked).toEqual([
      expect.stringMatching(/^\/download\/9\.9\.9\/mediasoup-worker-9\.9\.9-\w+-\w+(-kernel\d+)?\.tgz$/),
    ]);
    expect(progress.at(-1)).toMatchObject({ phase: 'download' });
    expect(await readdir(cacheDir)).toEqual([cachedPath('')]);
  });

  test.each<[string, RequestListener]>([
    ['does not exist', (_, response) => response.writeHead(404).end()],
    ['is behind a broken server', (_, response) => response.writeHead(503).end()],
    ['is damaged', (_, response) => response.end(Buffer.from('not an archive'))],
    ['is cut short', (_, response) => response.end(tarball('mediasoup-worker', SCRIPT).subarray(0, 60))],
    ['is another file', (_, response) => response.end(tarball('README', SCRIPT))],
    ['does not run here', (_, response) => response.end(tarball('mediasoup-worker', '#!/bin/sh\nexit 1\n'))],
    ['loses its connection', (request) => request.socket.destroy()],
  ])('is done without when it %s', async (_, answer) => {
    const { url, asked } = await releases(answer);
    await expect(provide({ releases: url })).rejects.toMatchObject({
      code: 'worker-missing',
      message: `There is no SFU worker for mediasoup ${VERSION} here yet: run \`meet setup\`.`,
    });
    expect(asked.length).toBe(1);
    expect(await readdir(cacheDir)).toEqual([]);
  });

  test('is asked for once in a run when there is no answer, and not waited for', async () => {
    const { url, asked } = await releases(() => {});
    const startedAt = performance.now();
    await expect(provide({ releases: url })).rejects.toMatchObject({ code: 'worker-missing' });
    expect(performance.now() - startedAt).toBeLessThan(8000);
    await expect(provide({ releases: url })).rejects.toMatchObject({ code: 'worker-missing' });
    expect(asked.length).toBe(1);
  });
});

describe('a build from source', () => {
  test('places the worker in the cache, with progress, and removes its folder', async () => {
    await writeProject(fakeTarget(folder).projectDir, `printf '%s' '${SCRIPT}' > "$1"`);
    const progress: WorkerProgress[] = [];
    const path = await provide({ allowBuild: true, onProgress: (event) => progress.push(event) });
    expect(await readFile(path, 'utf8')).toBe(SCRIPT);
    expect(progress.map(({ phase }) => phase)).toEqual(['configure', 'compile']);
    expect(progress.at(-1)).toMatchObject({ done: 1, total: 1 });
    expect((await readdir(cacheDir)).sort()).toEqual([cachedPath(''), 'mediasoup-worker-build.log']);
  });

  test('happens once when two want it at the same time', async () => {
    const count = join(folder, 'count');
    await writeProject(fakeTarget(folder).projectDir, `echo x >> ${count}; printf '%s' '${SCRIPT}' > "$1"`);
    const phases: string[][] = [[], []];
    const paths = await Promise.all(
      phases.map((seen) => provide({ allowBuild: true, onProgress: ({ phase }) => seen.push(phase) })),
    );
    expect(paths).toEqual([cachedPath(cacheDir), cachedPath(cacheDir)]);
    expect(await readFile(count, 'utf8')).toBe('x\n');
    expect(phases).toContainEqual(['wait']);
  });

  test('that fails ends in one sentence with the log of what happened', async () => {
    await writeProject(fakeTarget(folder).projectDir, 'echo the compiler is unhappy; exit 3');
    const log = join(cacheDir, 'mediasoup-worker-build.log');
    await expect(provide({ allowBuild: true })).rejects.toMatchObject({
      code: 'worker-missing',
      message: `The SFU worker could not be built (ninja ended with 1, see ${log}): mend what the log names and run \`meet setup\`, or set MEDIASOUP_WORKER_BIN to a worker.`,
    });
    expect(await readFile(log, 'utf8')).toContain('the compiler is unhappy');
    expect(await readdir(cacheDir)).toEqual(['mediasoup-worker-build.log']);
  });

  test('that makes something else than a worker says so', async () => {
    await writeProject(fakeTarget(folder).projectDir, `printf '#!/bin/sh\\n' > "$1"`);
    await expect(provide({ allowBuild: true })).rejects.toMatchObject({ code: 'worker-missing' });
    expect(await readdir(cacheDir)).toEqual(['mediasoup-worker-build.log']);
  });

  test('that is aborted ends its programs and leaves nothing half made', async () => {
    const pidFile = join(folder, 'pid');
    await writeProject(fakeTarget(folder).projectDir, `echo $$ > ${pidFile}; echo started; exec sleep 60`);
    const stop = new AbortController();
    const building = provide({ allowBuild: true, signal: stop.signal });
    const ended = expect(building).rejects.toThrow('aborted by the test');
    await expect.poll(() => readFile(pidFile, 'utf8').catch(() => ''), { timeout: 20_000 }).toMatch(/\d\n/);
    stop.abort(new Error('aborted by the test'));
    await ended;
    const pid = Number(await readFile(pidFile, 'utf8'));
    // ninja waits for the shell it started; what that started got the same signal and ends by itself.
    await expect.poll(() => isRunning(pid)).toBe(false);
    expect(await readdir(cacheDir)).toEqual(['mediasoup-worker-build.log']);
  });

  test('names the missing programs where the packages of the distribution are unknown', async () => {
    const path = await pathWith('ninja', 'c++');
    await expect(provide({ allowBuild: true, env: { PATH: path } })).rejects.toMatchObject({
      code: 'worker-missing',
      message: expect.stringContaining('this machine lacks cmake, pkg-config, flatc: install CMake'),
    });
  });

  test.each([
    ['with sudo', ['sudo'], 'run `sudo apt-get ', '` and then this command again.'],
    ['without sudo', [], 'run `apt-get ', '` as root and then this command again.'],
  ])('gives the command where this user may not install, %s', async (_, programs, start, end) => {
    const bin = await pathWith('sh');
    await writeProgram(join(bin, 'apt-get'), '#!/bin/sh\nexit 100\n');
    await writeProgram(
      join(bin, 'dpkg-query'),
      `#!/bin/sh\necho cmake installed\necho g++ installed\necho ninja-build config-files\n`,
    );
    for (const name of programs) await writeProgram(join(bin, name), '#!/bin/sh\nexit 1\n');
    const command = `apt-get install --no-install-recommends ${NOT_INSTALLED}`;
    await expect(provide({ allowBuild: true, env: { PATH: bin } })).rejects.toMatchObject({
      code: 'worker-missing',
      message: expect.toSatisfy(
        (message: string) => message.includes(start) && message.endsWith(`${command}${end}`),
      ),
    });
  });

  test('installs missing packages as root, with fresh package lists when the first try fails', async () => {
    const bin = await pathWith('sh', 'touch', 'test', 'cmake', 'ninja');
    const calls = join(folder, 'calls');
    await writeProgram(
      join(bin, 'apt-get'),
      `#!/bin/sh\necho "$@" >> ${calls}\ncase "$*" in *update*) touch ${calls}.fresh; exit 0;; esac\ntest -e ${calls}.fresh || exit 100\necho "Setting up libabsl-dev:amd64 (1) ..."\n`,
    );
    await writeProgram(
      join(bin, 'dpkg-query'),
      '#!/bin/sh\nshift; shift\nfor p in "$@"; do test $p = libabsl-dev || echo $p installed; done\n',
    );
    await writeProgram(join(bin, 'sudo'), '#!/bin/sh\nshift\nexec "$@"\n');
    await writeProject(fakeTarget(folder).projectDir, `printf '%s' '${SCRIPT}' > "$1"`);
    const progress: WorkerProgress[] = [];
    await provide({ allowBuild: true, env: { PATH: bin }, onProgress: (event) => progress.push(event) });
    const lines = (await readFile(calls, 'utf8')).trim().split('\n');
    expect(lines.at(-1)).toBe('-o DPkg::Lock::Timeout=120 install -y --no-install-recommends libabsl-dev');
    expect(lines.some((line) => line.endsWith('update'))).toBe(true);
    expect(progress).toContainEqual(expect.objectContaining({ phase: 'packages', done: 1, total: 1 }));
  });

  test('clears away what a killed build has left', async () => {
    await mkdir(join(cacheDir, 'build-999999999-abc'), { recursive: true });
    await writeFile(join(cacheDir, 'build-999999999-abc', 'x.o'), 'x');
    await writeFile(
      `${cachedPath(cacheDir)}.lock`,
      JSON.stringify({ pid: 999999999, host: hostname(), token: 'gone' }),
    );
    await expect(provide()).rejects.toMatchObject({ code: 'worker-missing' });
    expect(await readdir(cacheDir)).toEqual([]);
  });
});

test('a cache folder that cannot be made is one sentence', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(provide({ cacheDir: join(folder, 'file', 'cache') })).rejects.toMatchObject({
    code: 'no-permission',
    message: expect.stringContaining(
      'set XDG_CACHE_HOME to a folder that can be written and run `meet setup`.',
    ),
  });
});

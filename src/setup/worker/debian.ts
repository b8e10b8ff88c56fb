import type { WriteStream } from 'node:fs';
import { access, constants, readdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { getuid } from 'node:process';
import { MeetError } from '../../protocol/errors.ts';
import { runCommand } from '../command.ts';
import type { OnWorkerProgress } from './types.ts';

/** What the source build takes from the distribution. */
const BUILD_PACKAGES = [
  'cmake',
  'g++',
  'ninja-build',
  'pkg-config',
  'libuv1-dev',
  'libssl-dev',
  'libsrtp2-dev',
  'libflatbuffers-dev',
  'flatbuffers-compiler',
  'libabsl-dev',
] as const;

/** Programs that the build runs, for distributions whose packages we cannot name. */
const BUILD_PROGRAMS = ['cmake', 'ninja', 'c++', 'pkg-config', 'flatc'] as const;

export interface PackageOptions {
  readonly log: WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress?: OnWorkerProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sees to it that compiler and libraries are there: installs what is missing with apt-get where that is
 * possible as root or through sudo without a password.
 * @throws MeetError `worker-missing` with the command that installs them.
 */
export async function ensureBuildPackages(options: PackageOptions): Promise<void> {
  const { env } = options;
  if (!(await inPath('apt-get', env))) return requirePrograms(env);
  const missing = await missingPackages(options);
  if (missing.length === 0) return;

  const install = ['install', '-y', '--no-install-recommends', ...missing];
  const root = await rootPrefix(env, options);
  if (root === undefined) {
    throw new MeetError(
      'worker-missing',
      `The SFU worker must be built here and packages are missing that only root may install: ${await byHand(missing, env)}`,
    );
  }
  const total = missing.length;
  const message = `installing ${total} packages that the SFU worker is built with`;
  options.onProgress?.({ phase: 'packages', done: 0, total, message });
  let configured = 0;
  const apt = (...args: string[]) => {
    const [program = 'apt-get', ...rest] = [...root, 'apt-get', '-o', 'DPkg::Lock::Timeout=120', ...args];
    return runCommand(program, rest, {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
      log: options.log,
      signal: options.signal,
      // apt-get takes SIGINT as "stop after the package at hand", which leaves no half-installed one.
      stopSignal: 'SIGINT',
      stopTimeoutMs: 60_000,
      onLine: (line) => {
        const name = /^Setting up ([^ :]+)/.exec(line)?.[1];
        if (name === undefined || !missing.includes(name)) return;
        configured += 1;
        options.onProgress?.({ phase: 'packages', done: configured, total, message });
      },
    });
  };
  if (!(await hasPackageLists())) await apt('update');
  let { code } = await apt(...install);
  if (code !== 0) {
    // Lists that are older than the archive name files that are gone; a fresh list mends that.
    await apt('update');
    ({ code } = await apt(...install));
  }
  if (code !== 0) {
    throw new MeetError(
      'worker-missing',
      `The packages that the SFU worker is built with could not be installed (apt-get ended with ${code}, see ${options.log.path}): ${await byHand(missing, env)}`,
    );
  }
}

/** Those of `BUILD_PACKAGES` that dpkg does not have installed. */
async function missingPackages({ env, signal }: PackageOptions): Promise<string[]> {
  const format = `-f=\${Package} \${db:Status-Status}\n`;
  const { stdout } = await runCommand('dpkg-query', ['-W', format, ...BUILD_PACKAGES], {
    env,
    signal,
  });
  const installed = new Set(stdout.split('\n').filter((line) => line.endsWith(' installed')));
  return BUILD_PACKAGES.filter((name) => !installed.has(`${name} installed`));
}

/** What the user is to do; ends the sentence that says why. */
async function byHand(missing: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const sudo = await inPath('sudo', env);
  const update = (await hasPackageLists()) ? [] : ['apt-get update'];
  const commands = [...update, `apt-get install --no-install-recommends ${missing.join(' ')}`]
    .map((command) => (sudo ? `sudo ${command}` : command))
    .join(' && ');
  return `run \`${commands}\`${sudo ? '' : ' as root'} and then this command again.`;
}

/** Words before a command that make it run as root; `undefined` when this user cannot without a password. */
async function rootPrefix(env: NodeJS.ProcessEnv, options: PackageOptions): Promise<string[] | undefined> {
  if (getuid?.() === 0) return [];
  const { code } = await runCommand('sudo', ['-n', 'true'], { env, signal: options.signal });
  return code === 0 ? ['sudo', '-n'] : undefined;
}

async function requirePrograms(env: NodeJS.ProcessEnv): Promise<void> {
  const missing: string[] = [];
  for (const program of BUILD_PROGRAMS) if (!(await inPath(program, env))) missing.push(program);
  if (missing.length === 0) return;
  throw new MeetError(
    'worker-missing',
    `The SFU worker must be built here and this machine lacks ${missing.join(', ')}: install CMake, Ninja, a C++20 compiler, pkg-config, flatc and the development packages of libuv, OpenSSL, libsrtp2, FlatBuffers and Abseil, then run \`meet setup\`, or set MEDIASOUP_WORKER_BIN to a worker.`,
  );
}

async function inPath(program: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  for (const folder of (env.PATH ?? '').split(delimiter)) {
    const found = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return true;
  }
  return false;
}

/** A fresh container image has no package lists, and installing without them fails for certain. */
async function hasPackageLists(): Promise<boolean> {
  const files = await readdir('/var/lib/apt/lists').catch(() => []);
  return files.some((name) => name.includes('_Packages'));
}

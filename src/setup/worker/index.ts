import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import envPaths from 'env-paths';
import { MeetError } from '../../protocol/errors.ts';
import { BuildLock, isAlive } from './build-lock.ts';
import { fetchPrebuilt } from './prebuilt.ts';
import { workerFault } from './probe.ts';
import { buildWorker } from './source-build.ts';
import { cachedWorkerName, findWorkerTarget } from './target.ts';
import type { OnWorkerProgress, WorkerTarget } from './types.ts';

export interface ProvideWorkerOptions {
  readonly onProgress?: OnWorkerProgress | undefined;
  /** A worker to use and nothing else (MEDIASOUP_WORKER_BIN). */
  readonly workerBin?: string | undefined;
  /** Where workers are kept between runs; default this user's cache folder (`~/.cache/meet`). */
  readonly cacheDir?: string | undefined;
  /** `false` does not build from source, which takes about a minute; default `true`. */
  readonly allowBuild?: boolean | undefined;
  /** Aborts a download or a build; nothing half made stays behind. */
  readonly signal?: AbortSignal | undefined;
  /** Where mediasoup's releases are, for a mirror; default GitHub. `false` downloads nothing. */
  readonly releases?: string | false | undefined;
  /** Environment of the build's programs. */
  readonly env: NodeJS.ProcessEnv;
  /** What to build; default the mediasoup package that this program loads. */
  readonly target?: WorkerTarget | undefined;
}

/**
 * Path of an SFU worker that runs on this machine. The sources are, in this order: the given binary, the one
 * cached by an earlier run, the one that mediasoup's own install script has left, mediasoup's official
 * binary, and a build from source. Two processes do not build at the same time.
 * @throws MeetError `worker-missing` (or `no-permission`, `disk-full` for the cache folder) whose sentence
 * has the command that mends it; the signal's reason after an abort.
 */
export async function provideWorker(options: ProvideWorkerOptions): Promise<string> {
  options.signal?.throwIfAborted();
  const target = options.target ?? findWorkerTarget();
  if (options.workerBin !== undefined) return checkGiven(options.workerBin, target.version);

  const cacheDir = options.cacheDir ?? envPaths('meet', { suffix: '' }).cache;
  const cached = join(cacheDir, cachedWorkerName(target.version));
  const ready = await firstUsable([cached, target.packagedBin], target.version);
  if (ready !== undefined) return ready;

  await prepareCache(cacheDir);
  const lock = await BuildLock.acquire(`${cached}.lock`, {
    signal: options.signal,
    onWait: ({ pid }) =>
      options.onProgress?.({
        phase: 'wait',
        done: 0,
        total: 0,
        message: `waiting for process ${pid}, which is providing the SFU worker`,
      }),
  });
  try {
    const provided = await firstUsable([cached], target.version);
    if (provided !== undefined) return provided;
    await removeLeftovers(cacheDir);
    return (await download(cached, target, options)) ?? (await build(cached, cacheDir, target, options));
  } finally {
    await lock.release();
  }
}

async function checkGiven(path: string, version: string): Promise<string> {
  const fault = await workerFault(path, version);
  if (fault === undefined) return path;
  throw new MeetError(
    'worker-missing',
    `The SFU worker ${path} ${fault}: set MEDIASOUP_WORKER_BIN to a worker of mediasoup ${version}, or unset it and run \`meet setup\`.`,
  );
}

async function firstUsable(paths: readonly string[], version: string): Promise<string | undefined> {
  for (const path of paths) if ((await workerFault(path, version)) === undefined) return path;
  return undefined;
}

async function prepareCache(cacheDir: string): Promise<void> {
  try {
    await mkdir(cacheDir, { recursive: true });
    const trial = join(cacheDir, `.trial-${randomUUID()}`);
    await writeFile(trial, '');
    await rm(trial);
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new MeetError(
      full ? 'disk-full' : 'no-permission',
      `The SFU worker cannot be kept in ${cacheDir} (${(error as Error).message}): set XDG_CACHE_HOME to a folder that can be written and run \`meet setup\`.`,
      { cause: error },
    );
  }
}

/** Removes what processes that were killed in the middle have left; their pid is in the name. */
async function removeLeftovers(cacheDir: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    const pid = /^build-(\d+)-/.exec(name)?.[1] ?? /^mediasoup-worker-.*-(\d+)\.part$/.exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(cacheDir, name), { recursive: true, force: true });
  }
}

async function download(
  cached: string,
  target: WorkerTarget,
  { releases, onProgress, signal }: ProvideWorkerOptions,
): Promise<string | undefined> {
  if (releases === false) return undefined;
  const prebuilt = await fetchPrebuilt({
    version: target.version,
    onProgress,
    signal,
    ...(releases === undefined ? {} : { releases }),
  });
  if (!('binary' in prebuilt)) return undefined;
  const { binary } = prebuilt;
  const placed = await place(cached, target.version, (part) => writeFile(part, binary));
  // The official binary wants a newer C library than old distributions have; those build their own.
  return placed ? cached : undefined;
}

async function build(
  cached: string,
  cacheDir: string,
  target: WorkerTarget,
  { allowBuild, env, onProgress, signal }: ProvideWorkerOptions,
): Promise<string> {
  if (allowBuild === false) {
    throw new MeetError(
      'worker-missing',
      `There is no SFU worker for mediasoup ${target.version} here yet: run \`meet setup\`.`,
    );
  }
  let placed = false;
  await buildWorker({
    target,
    cacheDir,
    env,
    onProgress,
    signal,
    place: async (binary) => {
      placed = await place(cached, target.version, (part) => copyFile(binary, part));
    },
  });
  if (placed) return cached;
  throw new MeetError(
    'worker-missing',
    `The SFU worker was built and does not start (see ${join(cacheDir, 'mediasoup-worker-build.log')}): set MEDIASOUP_WORKER_BIN to a worker of mediasoup ${target.version}.`,
  );
}

/**
 * Puts a binary that runs into the cache in one step: other processes see none or a whole one.
 * @returns `false` when it does not run here.
 */
async function place(
  cached: string,
  version: string,
  write: (part: string) => Promise<void>,
): Promise<boolean> {
  const part = `${cached}-${process.pid}.part`;
  try {
    await write(part);
    await chmod(part, 0o755);
    if ((await workerFault(part, version)) !== undefined) return false;
    await rename(part, cached);
    return true;
  } finally {
    await rm(part, { force: true });
  }
}

import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { MeetError } from '../../protocol/errors.ts';
import { type CommandOptions, runCommand } from '../command.ts';
import { ensureBuildPackages } from './debian.ts';
import { NinjaProgress } from './ninja-progress.ts';
import type { OnWorkerProgress, WorkerTarget } from './types.ts';

/** The build folder takes 90 MB, its precompiled header most of it. */
const NEEDED_BYTES = 250 * 1024 * 1024;
/** The largest translation unit takes 600 MB of memory in GCC 12. */
const BYTES_A_JOB = 700 * 1024 * 1024;

/** CPU time of the whole build on a 2-core virtual machine of 2026. */
const BUILD_CPU_SECONDS = 90;

export interface SourceBuildOptions {
  readonly target: WorkerTarget;
  /** Where the build folder and the log go; the build folder is removed in the end. */
  readonly cacheDir: string;
  /** Called with the binary before the build folder goes. */
  readonly place: (binary: string) => Promise<void>;
  /** Environment of the programs it runs. */
  readonly env: NodeJS.ProcessEnv;
  readonly onProgress?: OnWorkerProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Builds the worker from the sources in the mediasoup package against the distribution's libraries.
 * @throws MeetError `worker-missing` or `disk-full`, with the path of the log where there is something to read.
 */
export async function buildWorker(options: SourceBuildOptions): Promise<void> {
  const { cacheDir } = options;
  const disk = await statfs(cacheDir);
  if (disk.bavail * disk.bsize < NEEDED_BYTES) {
    throw new MeetError(
      'disk-full',
      `The SFU worker cannot be built because ${cacheDir} has less than 250 MB free: make room and run \`meet setup\`.`,
    );
  }
  const log = createWriteStream(join(cacheDir, 'mediasoup-worker-build.log'));
  // Not being able to write the log is no reason to fail the build.
  log.on('error', () => {});
  const folder = await mkdtemp(join(cacheDir, `build-${process.pid}-`));
  try {
    await compile(folder, log, options);
  } finally {
    log.end();
    await finished(log).catch(() => {});
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function compile(folder: string, log: WriteStream, options: SourceBuildOptions): Promise<void> {
  const { target, onProgress, signal } = options;
  // The format of ninja's progress can be changed by the user's environment; its parser wants this one.
  const env = { ...options.env, NINJA_STATUS: '[%f/%t] ' };
  const command: CommandOptions = { env, log, signal };
  await ensureBuildPackages({ env, log, signal, onProgress });

  onProgress?.({ phase: 'configure', done: 0, total: 0, message: 'configuring the SFU worker' });
  const configured = await runCommand(
    'cmake',
    [
      ...['-G', 'Ninja', '-S', target.projectDir, '-B', folder],
      `-DWORKER_SOURCE=${target.sourceDir}`,
      `-DWORKER_VERSION=${target.version}`,
    ],
    command,
  );
  if (configured.code !== 0) throw failure('cmake', configured.code, log);

  const jobs = Math.max(1, Math.min(availableParallelism(), Math.floor(memory() / BYTES_A_JOB)));
  const progress = new NinjaProgress(BUILD_CPU_SECONDS / jobs);
  const built = await runCommand('ninja', ['-C', folder, '-j', String(jobs)], {
    ...command,
    onLine: (line) => {
      if (!progress.read(line)) return;
      const { done, total, etaSeconds } = progress;
      const eta = etaSeconds === undefined ? {} : { etaSeconds };
      onProgress?.({ phase: 'compile', done, total, ...eta, message: 'building the SFU worker' });
    },
  });
  if (built.code !== 0) throw failure('ninja', built.code, log);
  await options.place(join(folder, 'mediasoup-worker'));
}

function failure(program: string, code: number, log: WriteStream): MeetError {
  const what = code === 127 ? `${program} was not found` : `${program} ended with ${code}`;
  return new MeetError(
    'worker-missing',
    `The SFU worker could not be built (${what}, see ${log.path}): mend what the log names and run \`meet setup\`, or set MEDIASOUP_WORKER_BIN to a worker.`,
  );
}

/** Memory that this process may use: a container's limit where there is one. */
function memory(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

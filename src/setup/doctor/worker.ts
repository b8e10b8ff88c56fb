import { provideWorker } from '../worker/index.ts';
import { findWorkerTarget } from '../worker/target.ts';
import type { Check, DoctorOptions } from './types.ts';

/** A worker that has not answered by then hangs, milliseconds. */
const START_TIMEOUT_MS = 5000;

/** Whether there is a worker, and whether it starts and understands this version of mediasoup. */
export async function checkWorker({ cacheDir, workerBin, signal }: DoctorOptions): Promise<Check> {
  const name = 'worker';
  const { version } = findWorkerTarget();
  let path: string;
  try {
    // Nothing is built, so no program of a build needs an environment.
    path = await provideWorker({
      cacheDir,
      workerBin,
      signal,
      env: {},
      allowBuild: false,
      releases: false,
    });
  } catch (error) {
    signal?.throwIfAborted();
    const message = (error as Error).message;
    if (workerBin !== undefined) return { name, status: 'failed', message };
    return {
      name,
      status: 'warning',
      message: `There is no SFU worker for mediasoup ${version} yet; the first \`meet serve\` provides it.`,
      mend: 'meet setup',
    };
  }
  try {
    await start(path);
    return { name, status: 'ok', message: `SFU worker ${version} starts: ${path}` };
  } catch (error) {
    return {
      name,
      status: 'failed',
      message: `The SFU worker ${path} does not start (${(error as Error).message}).`,
      mend: workerBin === undefined ? `rm ${path} && meet setup` : 'unset MEDIASOUP_WORKER_BIN; meet setup',
    };
  }
}

/** Starts it, and has it make a router: a worker of another version misunderstands one of the two. */
async function start(path: string): Promise<void> {
  // Loaded here: providing a worker, which shares this module's index, has no use for it.
  const { createWorker } = await import('mediasoup');
  const worker = await createWorker({ workerBin: path, logLevel: 'none' });
  let timer: NodeJS.Timeout | undefined;
  try {
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer within 5 s')), START_TIMEOUT_MS);
    });
    const died = new Promise<never>((_, reject) => worker.once('died', reject));
    await Promise.race([worker.createRouter().then((router) => router.dump()), timeout, died]);
  } finally {
    clearTimeout(timer);
    worker.close();
  }
}

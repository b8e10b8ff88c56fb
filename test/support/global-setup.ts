import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formatWorkerProgress, provideWorker } from '../../src/setup/index.ts';

/**
 * Runs once, before vitest starts the processes that tests run in: they inherit this environment. Temporary
 * files of all tests land in one folder (`os.tmpdir()` reads TMPDIR) that is removed at the end.
 */
export default async function setup(): Promise<() => Promise<void>> {
  const temp = await mkdtemp(join(tmpdir(), 'meet-test-'));
  // PostgreSQL refuses to run as root, so its user must be able to reach its data folder in here.
  await chmod(temp, 0o755);
  const previous = process.env.TMPDIR;
  let shown = '';
  try {
    const given = process.env.MEDIASOUP_WORKER_BIN;
    process.env.MEDIASOUP_WORKER_BIN = await provideWorker({
      workerBin: given,
      env: process.env,
      onProgress: (progress) => {
        // One line a phase: the report of a test run is read from a file more often than from a terminal.
        if (progress.phase !== shown) process.stderr.write(`${formatWorkerProgress(progress)}\n`);
        shown = progress.phase;
      },
    });
  } catch (error) {
    await rm(temp, { recursive: true, force: true });
    throw error;
  }
  process.env.TMPDIR = temp;
  return async () => {
    if (previous === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = previous;
    await rm(temp, { recursive: true, force: true, maxRetries: 3 });
  };
}

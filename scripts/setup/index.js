/** Everything between a fresh clone and a program that runs; quiet and instant when there is nothing to do. */
import { buildSources } from './build.js';
import { installPackages } from './packages.js';
import { ensureWorker } from './worker.js';

export { buildSources } from './build.js';
export { installPackages } from './packages.js';
export { runScript } from './step.js';
export { ensureWorker } from './worker.js';

/** @returns the environment for programs that start a server. */
export async function setUp({ tolerant = false } = {}) {
  await installPackages();
  await buildSources({ tolerant });
  return { ...process.env, MEDIASOUP_WORKER_BIN: await ensureWorker() };
}

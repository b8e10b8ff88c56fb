/**
 * Path of the SFU worker that tests start, from `MEDIASOUP_WORKER_BIN`: the global set-up provides one
 * before the first test file is loaded, unless the variable is already there.
 */
export function workerBin(): string {
  const path = process.env.MEDIASOUP_WORKER_BIN;
  if (path === undefined) throw new Error('MEDIASOUP_WORKER_BIN is not set: run the tests through vitest');
  return path;
}

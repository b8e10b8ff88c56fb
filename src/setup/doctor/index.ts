import { MeetError } from '../../protocol/errors.ts';
import { checkFfmpeg } from './ffmpeg.ts';
import { checkClock, checkDataDir, checkDisk, checkNode, checkPorts, checkUdpBuffers } from './machine.ts';
import type { Check, DoctorOptions } from './types.ts';
import { checkWorker } from './worker.ts';

const DEFAULT_PORT = 8080;

/**
 * Looks at what a meeting needs on this machine, in the order in which one would mend it. Changes nothing
 * and never fails: a check that cannot be made is a failed check.
 */
export async function runDoctor(options: DoctorOptions): Promise<Check[]> {
  const checks: [name: string, check: () => Check | Promise<Check>][] = [
    ['node', () => checkNode()],
    ['ffmpeg', () => checkFfmpeg(options)],
    ['worker', () => checkWorker(options)],
    ['ports', () => checkPorts(options.port ?? DEFAULT_PORT)],
    ['udp-buffers', () => checkUdpBuffers()],
    ['data', () => checkDataDir(options.dataDir)],
    ['disk', () => checkDisk(options.dataDir)],
    ['clock', () => checkClock()],
  ];
  return Promise.all(
    checks.map(async ([name, check]) => {
      try {
        return await check();
      } catch (error) {
        options.signal?.throwIfAborted();
        const failed = MeetError.from(error);
        const mend = failed.hint === undefined ? {} : { mend: failed.hint };
        return { name, status: 'failed' as const, message: failed.message, ...mend };
      }
    }),
  );
}

/** The processes that hold the bots of a run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { agentAddress, remoteLines } from '../../load/driver/remote.ts';
import { DriverLink, localLine } from '../../load/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { LoadCommandOptions } from '../commands/load.ts';

/** Starts `meet load-driver`, this program again. */
export function spawnDriver(): ChildProcess {
  const [, program = ''] = process.argv;
  return spawn(process.execPath, [...process.execArgv, program, 'load-driver'], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
}

/**
 * Drivers here, or on the hosts that were named.
 *
 * @throws MeetError `bad-config`, `server-unreachable`, `unauthorized`
 */
export async function openDrivers({ hosts, workers, secret }: LoadCommandOptions): Promise<DriverLink[]> {
  if (hosts === undefined) {
    const count = workers ?? availableParallelism();
    return Array.from(
      { length: count },
      (_, index) => new DriverLink(localLine(spawnDriver(), `${index + 1}`)),
    );
  }
  if (secret === undefined) {
    throw new MeetError('bad-config', 'The agents want a secret.', {
      hint: 'Give it with --secret or in MEET_LOAD_SECRET; `meet load-agent` prints its own.',
    });
  }
  const opened: DriverLink[] = [];
  try {
    for (const host of hosts) {
      const lines = await remoteLines(agentAddress(host), secret, workers);
      opened.push(...lines.map((line) => new DriverLink(line)));
    }
    return opened;
  } catch (error) {
    await Promise.all(opened.map((driver) => driver.close()));
    throw error;
  }
}

/** Finds processes that a test run has started and not ended. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/**
 * Every process inherits the run's mark in its environment, also one that has detached itself and lost its
 * parent. Linux only: elsewhere it finds none.
 * @returns processes as { pid, command }
 */
export function findLeftovers(mark) {
  const found = [];
  for (const name of listProcesses()) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(`MEET_TEST_RUN=${mark}`))
        continue;
      // A process without an executable has ended and waits for its parent to notice.
      readlinkSync(`/proc/${pid}/exe`);
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      found.push({ pid, command: command.slice(0, 160) });
    } catch {
      // It has ended meanwhile, or belongs to another user.
    }
  }
  return found;
}

/** Ends them; a process that the tests started is ours to end. */
export function endLeftovers(leftovers) {
  for (const { pid } of leftovers) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

function listProcesses() {
  try {
    return readdirSync('/proc');
  } catch {
    return [];
  }
}

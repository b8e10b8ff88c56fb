/** Runs a program in the foreground on behalf of this process: its terminal, its signals, its exit code. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * A terminal sends Ctrl-C to a whole process group, npm and `timeout` pass a signal on besides, and a second
 * SIGINT means "at once" to the program. So a program without a terminal gets a process group of its own and
 * each signal once; with a terminal it hears Ctrl-C by itself.
 */
const REPEAT_MS = 500;

/** @returns the exit code: the program's, or 128 plus the number of the signal that ended it. */
export function launch(program, args, { env = process.env } = {}) {
  const terminal = process.stdin.isTTY === true;
  const child = spawn(program, args, {
    // The channel tells the program when this process is killed and cannot pass anything on any more.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...env, MEET_LAUNCHED: '1' },
    detached: !terminal,
  });
  const lastAt = new Map();
  const pass = (signal) => {
    if (signal === 'SIGINT' && terminal) return;
    const now = Date.now();
    if (now - (lastAt.get(signal) ?? 0) < REPEAT_MS) return;
    lastAt.set(signal, now);
    child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.on(signal, pass);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (child.connected) child.disconnect();
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2']) process.off(name, pass);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}

/** Which process something belongs to, and whether that one still runs. */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import Type, { type Static } from 'typebox';

/** A process, told from others that have its number on another machine, after a restart, or after its end. */
export const ProcessIdentity = Type.Object({
  pid: Type.Integer({ minimum: 1 }),
  host: Type.String(),
  /** Clock ticks from the machine's start to the process's; absent where there is no /proc. */
  startTime: Type.Optional(Type.String()),
  /** The machine's running since it was last started. */
  boot: Type.Optional(Type.String()),
});
export type ProcessIdentity = Static<typeof ProcessIdentity>;

export async function ownIdentity(): Promise<ProcessIdentity> {
  const [startTime, boot] = await Promise.all([startTimeOf(process.pid), bootId()]);
  return {
    pid: process.pid,
    host: hostname(),
    ...(startTime === undefined ? {} : { startTime }),
    ...(boot === undefined ? {} : { boot }),
  };
}

/** Whether it still runs; `undefined` for a process of another machine, which cannot be seen from here. */
export async function isRunning(identity: ProcessIdentity): Promise<boolean | undefined> {
  if (identity.host !== hostname()) return undefined;
  const [startTime, boot] = await Promise.all([startTimeOf(identity.pid), bootId()]);
  if (identity.boot !== undefined && boot !== undefined && identity.boot !== boot) return false;
  if (identity.startTime !== undefined && boot !== undefined) return startTime === identity.startTime;
  return exists(identity.pid);
}

/** Field 22 of /proc/PID/stat; the name before it may have spaces and brackets in it. */
async function startTimeOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text
    ?.slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .at(19);
}

async function bootId(): Promise<string | undefined> {
  const text = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => undefined);
  return text?.trim();
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

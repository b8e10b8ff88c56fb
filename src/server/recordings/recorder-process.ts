/** A recorder process: started detached, so that it outlives the server, and found again by its id. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type { RecorderControl } from '../../protocol/recorder.ts';
import type { RecorderCall } from './command.ts';

/** In the recording's folder: what the recorder says on stdout, and on stderr. */
export const EVENTS_FILE = 'recorder.ndjson';
export const LOG_FILE = 'recorder.log';

export interface RecorderProcessEvents {
  /** A process that this one started has ended. */
  exit: [];
}

export class RecorderProcess extends EventEmitter<RecorderProcessEvents> {
  readonly pid: number;
  /** What its command line has and no other: process ids are used again. */
  readonly #mark: string;
  readonly #child: ChildProcess | undefined;

  private constructor(pid: number, mark: string, child?: ChildProcess) {
    super();
    this.pid = pid;
    this.#mark = mark;
    this.#child = child;
    child?.once('exit', () => this.emit('exit'));
    // A recorder that is gone takes no more orders; that it is gone is seen elsewhere.
    child?.stdin?.on('error', () => {});
  }

  /** Starts one for a folder that exists. @throws MeetError `recorder-failed`, `disk-full`, `no-permission` */
  static async start(
    command: readonly string[],
    { args, env }: RecorderCall,
    { folder, mark }: { folder: string; mark: string },
  ): Promise<RecorderProcess> {
    const [program = '', ...before] = command;
    // Files and no pipes: a pipe that nobody reads any more would end it.
    const stdout = await open(join(folder, EVENTS_FILE), 'a', 0o640);
    try {
      const stderr = await open(join(folder, LOG_FILE), 'a', 0o640);
      try {
        const child = spawn(program, [...before, ...args], {
          detached: true,
          stdio: ['pipe', stdout.fd, stderr.fd],
          env,
          cwd: folder,
        });
        await once(child, 'spawn');
        child.unref();
        return new RecorderProcess(child.pid ?? 0, mark, child);
      } finally {
        await stderr.close();
      }
    } catch (cause) {
      throw new MeetError('recorder-failed', 'The recorder could not be started.', { cause });
    } finally {
      await stdout.close();
    }
  }

  /** One that another process started, whether it still runs or not. */
  static found(pid: number, mark: string): RecorderProcess {
    return new RecorderProcess(pid, mark);
  }

  /** Tells it something; one that was found again hears only what signaling says. */
  tell(control: RecorderControl): void {
    const stdin = this.#child?.stdin;
    if (stdin?.writable) stdin.write(`${JSON.stringify(control)}\n`);
  }

  async running(): Promise<boolean> {
    if (this.#child !== undefined) return this.#child.exitCode === null && this.#child.signalCode === null;
    try {
      process.kill(this.pid, 0);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
    }
    // Of a process that has ended and that nobody has waited for, the command line is empty.
    const commandLine = await readFile(`/proc/${this.pid}/cmdline`, 'utf8').catch(() => undefined);
    if (commandLine !== undefined) return commandLine.includes(this.#mark);
    // Without /proc, as on macOS, its id is all that is known.
    return process.platform !== 'linux';
  }

  /** Does nothing where it is gone. */
  async kill(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    if (!(await this.running())) return;
    try {
      process.kill(this.pid, signal);
    } catch {
      // It ended in between.
    }
  }

  /** Lets it go on by itself. */
  release(): void {
    this.removeAllListeners();
    this.#child?.stdin?.destroy();
  }
}

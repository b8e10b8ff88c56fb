import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { MeetError } from '../../protocol/errors.ts';
import { lastMeaningfulLine } from './stderr.ts';

/** How many characters of stderr are kept: enough for the reason, however long a damaged file makes ffmpeg talk. */
const STDERR_KEPT = 16_384;

export interface FfmpegProcessOptions {
  /** Path of the executable. */
  readonly path: string;
  /** Arguments after `-nostdin -hide_banner`, which are always given. */
  readonly args: readonly string[];
  /** How many output pipes to open; they are `pipe:3`, `pipe:4` … in the arguments. */
  readonly outputs: number;
  /**
   * Connected sockets that the child writes to, after the pipes: `pipe:3` where there are no pipes. They are the child's
   * alone from then on.
   */
  readonly sockets?: readonly Socket[];
  /** Whether the process reads media from its standard input. */
  readonly input?: boolean;
}

export interface FfmpegExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what ffmpeg wrote to stderr. */
  readonly stderr: string;
  /** Why it could not be started at all. */
  readonly error?: Error;
}

/**
 * One ffmpeg child. Its outputs are pipes to this process, so that it also ends when this process is killed:
 * its next write fails.
 */
export class FfmpegProcess {
  readonly outputs: readonly Readable[];
  readonly input: Writable | undefined;
  /** Settles when the child has gone and every output has been read to its end; never rejects. */
  readonly exit: Promise<FfmpegExit>;
  readonly #child: ChildProcess;
  #gone = false;
  #complaints = 0;

  constructor({ path, args, outputs, sockets = [], input = false }: FfmpegProcessOptions) {
    this.#child = spawn(path, ['-nostdin', '-hide_banner', ...args], {
      stdio: [
        input ? 'pipe' : 'ignore',
        'ignore',
        'pipe',
        ...Array.from({ length: outputs }, () => 'pipe' as const),
        ...sockets,
      ],
      windowsHide: true,
    });
    this.input = this.#child.stdin ?? undefined;
    this.outputs = this.#child.stdio.slice(3, 3 + outputs) as Readable[];
    for (const socket of sockets) socket.destroy();
    // A pipe that breaks says nothing that the exit does not say better.
    for (const pipe of [this.input, ...this.outputs]) pipe?.on('error', () => {});
    let stderr = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
      this.#complaints += 1;
    });
    this.exit = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#gone = true;
        resolve({ code: null, signal: null, stderr, error });
      });
      this.#child.once('exit', () => {
        this.#gone = true;
      });
      this.#child.once('close', (code, signal) => resolve({ code, signal, stderr }));
    });
  }

  /** Process id, while the child runs. */
  get pid(): number | undefined {
    return this.#gone ? undefined : this.#child.pid;
  }

  /** How often it has written to stderr: with `-v error` something was wrong each time. */
  get complaints(): number {
    return this.#complaints;
  }

  /** Ends the child at once and waits until it has gone. Unread output is thrown away. */
  async close(): Promise<void> {
    if (!this.#gone) this.#child.kill('SIGKILL');
    for (const pipe of this.outputs) pipe.destroy();
    this.input?.destroy();
    await this.exit;
  }
}

/** The error of a child that did not end well; `undefined` when it did. `work` completes "ffmpeg … while …". */
export function exitFailure(exit: FfmpegExit, work: string): MeetError | undefined {
  if (exit.error) {
    return new MeetError('ffmpeg-missing', `ffmpeg could not be started: ${exit.error.message}.`, {
      cause: exit.error,
      hint: 'Install ffmpeg or set MEET_FFMPEG to its path; `meet doctor` shows which one is used.',
    });
  }
  if (exit.code === 0) return undefined;
  const how = exit.signal
    ? `ffmpeg was ended by ${exit.signal}`
    : `ffmpeg ended with status ${exit.code ?? 'unknown'}`;
  const line = exit.signal ? undefined : lastMeaningfulLine(exit.stderr);
  return new MeetError('ffmpeg-failed', `${how} while ${work}${line ? `: ${line}` : ''}.`, {
    hint: exit.signal ? 'Try again; when memory is short, the system ends the largest process.' : undefined,
  });
}

/** Runs an executable to its end and gives what it wrote; throws what `spawn` throws. */
export async function capture(
  path: string,
  args: readonly string[],
  options: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(path, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
    killSignal: 'SIGKILL',
    signal: options.signal,
  });
  // spawn's own timeout goes on when the program cannot be started, and keeps this process waiting for it.
  const timer =
    options.timeoutMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), options.timeoutMs);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, stdout, stderr }));
    });
  } finally {
    clearTimeout(timer);
  }
}

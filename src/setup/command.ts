import { spawn } from 'node:child_process';
import type { WriteStream } from 'node:fs';

export interface CommandOptions {
  /** Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Receives everything the command prints. */
  readonly log?: WriteStream;
  /** Called with each line of standard output. */
  readonly onLine?: (line: string) => void;
  /** What asks the command to stop when `signal` fires; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before it is killed, milliseconds; default 3000. */
  readonly stopTimeoutMs?: number;
}

export interface CommandResult {
  /** Exit code; 127 when the program was not found, 128 when a signal ended it. */
  readonly code: number;
  readonly stdout: string;
}

/**
 * Runs a program to its end and never throws for its failure. An abort asks it to stop and waits until it
 * has, so that nothing still writes to a folder that the caller is about to remove, then rejects with the
 * signal's reason.
 */
export function runCommand(
  file: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { signal, log, onLine } = options;
  signal?.throwIfAborted();
  return new Promise((resolve, reject) => {
    log?.write(`\n$ ${file} ${args.join(' ')}\n`);
    const child = spawn(file, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: options.env,
    });
    let stdout = '';
    let line = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      log?.write(text);
      stdout += text;
      if (onLine === undefined) return;
      const lines = (line + text).split(/[\r\n]+/);
      line = lines.pop() ?? '';
      for (const whole of lines) onLine(whole);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => log?.write(text));

    let killer: NodeJS.Timeout | undefined;
    const stop = () => {
      child.kill(options.stopSignal ?? 'SIGTERM');
      killer = setTimeout(() => child.kill('SIGKILL'), options.stopTimeoutMs ?? 3000);
    };
    signal?.addEventListener('abort', stop, { once: true });
    const finish = (code: number) => {
      clearTimeout(killer);
      signal?.removeEventListener('abort', stop);
      if (signal?.aborted) reject(signal.reason);
      else resolve({ code, stdout });
    };
    child.once('error', (error: NodeJS.ErrnoException) => {
      log?.write(`${error.message}\n`);
      finish(error.code === 'ENOENT' ? 127 : 126);
    });
    child.once('close', (code) => finish(code ?? 128));
  });
}

/** What a command gets of the world; tests give another one. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  readonly stderr: NodeJS.WritableStream & { isTTY?: boolean };
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP, with the signal's name as its reason. */
  readonly interrupted: AbortSignal;
  /** Aborted when nobody reads stdout any more (`| head`): a command that only reports has no more to do. */
  readonly unread: AbortSignal;
  /** When the command started, milliseconds on `performance.now()`'s clock; 0 is the process's start. */
  readonly startedAt: number;
}

/** What every command's output options say. */
export interface OutputOptions {
  /** The name of a file where a command writes its result there, and no NDJSON. */
  readonly json?: boolean | string;
  readonly quiet?: boolean;
}

/** Whether a person sits in front of it who can be asked something. */
export function isConversation({ stdin, stderr, env }: CliContext, { json, quiet }: OutputOptions): boolean {
  return stdin.isTTY === true && stderr.isTTY === true && env.TERM !== 'dumb' && !json && !quiet;
}

/** How this user starts the command line: where `npx` does it, `meet` alone is not in PATH. */
export function invocation({ env }: CliContext): string {
  return env.npm_command === 'exec' ? 'npx meet' : 'meet';
}

/** What a command gets of the world; tests give another one. */
export interface CliContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  readonly stderr: NodeJS.WritableStream & { isTTY?: boolean };
  readonly stdin: NodeJS.ReadableStream & { isTTY?: boolean };
  /** Aborted by the first SIGINT or SIGTERM, with the signal's name as its reason. */
  readonly interrupted: AbortSignal;
  /** When the command started, milliseconds on `performance.now()`'s clock; 0 is the process's start. */
  readonly startedAt: number;
}

/** What every command's output options say. */
export interface OutputOptions {
  readonly json?: boolean;
  readonly quiet?: boolean;
}

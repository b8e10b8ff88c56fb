import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { PACKAGE_ROOT } from '../package-root.ts';
import { EXIT, MeetError } from '../protocol/errors.ts';
import type { CliContext } from './context.ts';
import { withHint } from './hints.ts';
import { Output } from './output.ts';
import { buildProgram } from './program.ts';
import { usageError } from './usage.ts';

/**
 * Runs the command line; resolves with the exit code. Never rejects: whatever goes wrong ends in a sentence.
 *
 * @param argv as `process.argv`, the program's path included
 */
export async function main(argv: readonly string[] = process.argv): Promise<number> {
  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals) => {
    // A second Ctrl-C does not wait for anything any more.
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  const unread = new AbortController();
  let unwritten: NodeJS.ErrnoException | undefined;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away is no error of the command; a full disk is.
    if (error.code !== 'EPIPE') unwritten ??= error;
    unread.abort(error.code);
  });
  process.stderr.on('error', () => {}); // There is no other place to say it.
  // A variable that is set to nothing is meant to be unset.
  for (const [name, value] of Object.entries(process.env)) if (value === '') delete process.env[name];
  const context: CliContext = {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    interrupted: interrupt.signal,
    unread: unread.signal,
    startedAt: 0,
  };
  const fail = (error: unknown) => report(context, argv, error);
  process.on('uncaughtException', (error) => process.exit(fail(error)));
  const code = await runProgram(argv, context);
  // An error of the last write comes after it.
  await nextTurn();
  return unwritten && code === EXIT.done ? fail(outputError(unwritten)) : code;
}

/** The command line with another context; for tests. */
export async function runProgram(argv: readonly string[], context: CliContext): Promise<number> {
  const program = buildProgram(context, version());
  try {
    await program.parseAsync(argv);
    return program.exitCode;
  } catch (error) {
    const usage = usageError(error);
    if (usage === 'shown') return EXIT.done;
    if (usage === 'help') return EXIT.usage;
    if (usage === undefined && context.interrupted.aborted) return EXIT.interrupted;
    return report(context, argv, usage ?? error);
  }
}

/** Says what went wrong; gives the exit code for it. */
function report(context: CliContext, argv: readonly string[], error: unknown): number {
  const meetError = withHint(MeetError.from(error));
  new Output(context, { json: argv.includes('--json') }).error(meetError);
  if (meetError.code === 'internal' && context.env.MEET_DEBUG) console.error(error);
  return meetError.exitCode;
}

function outputError(cause: NodeJS.ErrnoException): MeetError {
  return cause.code === 'ENOSPC'
    ? new MeetError('disk-full', 'The output could not be written: no space is left on the disk.', { cause })
    : new MeetError('internal', `The output could not be written (${cause.code}).`, { cause });
}

function version(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

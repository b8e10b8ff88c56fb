import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommanderError } from 'commander';
import { PACKAGE_ROOT } from '../package-root.ts';
import { EXIT, MeetError } from '../protocol/errors.ts';
import type { CliContext } from './context.ts';
import { Output } from './output.ts';
import { buildProgram } from './program.ts';

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
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  // A reader that went away (`| head`) is no error of the command.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') interrupt.abort('SIGPIPE');
  });
  const context: CliContext = {
    env: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    interrupted: interrupt.signal,
    startedAt: 0,
  };
  return await runProgram(argv, context);
}

/** The command line with another context; for tests. */
export async function runProgram(argv: readonly string[], context: CliContext): Promise<number> {
  const program = buildProgram(context, version());
  try {
    await program.parseAsync(argv);
    return program.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const output = new Output(context, { json: argv.includes('--json') });
    if (context.interrupted.aborted) return EXIT.interrupted;
    const meetError = MeetError.from(error);
    output.error(meetError);
    if (meetError.code === 'internal' && context.env.MEET_DEBUG) console.error(error);
    return meetError.exitCode;
  }
}

function version(): string {
  const text = readFileSync(join(PACKAGE_ROOT, 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}

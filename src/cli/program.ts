import { Command, Option } from 'commander';
import { registerCompletion } from './commands/completion.ts';
import { registerConfig } from './commands/config.ts';
import { registerCreate } from './commands/create.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerJoin } from './commands/join.ts';
import { registerServe } from './commands/serve.ts';
import { registerSetup } from './commands/setup.ts';
import type { CliContext, OutputOptions } from './context.ts';
import { Output } from './output.ts';
import { applyConfig } from './settings.ts';

/** What a command needs to put itself on the command line. */
export interface Registry {
  readonly program: Command;
  readonly context: CliContext;
  /** Starts a command with the options that all have. */
  command(nameAndArguments: string, description: string): Command;
  /** Wraps a command's function: config applied, output made, exit code kept. */
  action<O extends OutputOptions>(
    command: Command,
    run: (
      deps: { context: CliContext; output: Output },
      options: O,
      args: readonly string[],
    ) => Promise<number>,
  ): void;
}

class Program extends Command {
  exitCode = 0;
}

/** Builds the `meet` command line. Modules that a command needs are loaded when it runs, not before. */
export function buildProgram(context: CliContext, version: string): Program {
  const program = new Program('meet');
  program
    .description('Host, join and watch meetings from the command line.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .exitOverride()
    .showHelpAfterError('(meet --help lists what there is)')
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
    });
  const registry: Registry = {
    program,
    context,
    command: (nameAndArguments, description) =>
      program
        .command(nameAndArguments)
        .description(description)
        .exitOverride()
        .helpOption('-h, --help', 'print this help')
        .addOption(new Option('--json', 'write NDJSON to stdout'))
        .addOption(new Option('-q, --quiet', 'say nothing but errors')),
    action: (command, run) => {
      command.action(async () => {
        await applyConfig(command, context);
        const options = command.opts<Parameters<typeof run>[1]>();
        const output = new Output(context, options);
        program.exitCode = await run({ context, output }, options, command.processedArgs.map(String));
      });
    },
  };
  for (const register of [
    registerServe,
    registerCreate,
    registerJoin,
    registerSetup,
    registerDoctor,
    registerConfig,
    registerCompletion,
    registerDemo,
  ]) {
    register(registry);
  }
  return program;
}

/** `--server URL` with its environment variable. */
export function serverOption(): Option {
  return new Option('--server <url>', 'base URL of the meeting server').env('MEET_SERVER');
}

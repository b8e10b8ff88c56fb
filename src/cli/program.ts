import { Command, type CommanderError, Option } from 'commander';
import { registerAudit } from './commands/audit.ts';
import { registerChat } from './commands/chat.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerConfig } from './commands/config.ts';
import { registerCreate } from './commands/create.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDevices } from './commands/devices.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerHost } from './commands/host.ts';
import { registerJoin } from './commands/join.ts';
import { registerLoad } from './commands/load.ts';
import { registerLoadAgent } from './commands/load-agent.ts';
import { registerLoadDriver } from './commands/load-driver.ts';
import { registerMessages } from './commands/messages.ts';
import { registerParticipants } from './commands/participants.ts';
import { registerRecord } from './commands/record.ts';
import { registerRecording } from './commands/recording.ts';
import { registerRecordings } from './commands/recordings.ts';
import { registerSay } from './commands/say.ts';
import { registerServe } from './commands/serve.ts';
import { registerSetup } from './commands/setup.ts';
import { registerShare } from './commands/share.ts';
import { registerToken } from './commands/token.ts';
import type { CliContext, OutputOptions } from './context.ts';
import { Output } from './output.ts';
import { serverOption } from './server-option.ts';
import { applyConfig } from './settings.ts';
import { UsageError } from './usage.ts';

/** What a command needs to put itself on the command line. */
export interface Registry {
  readonly program: Command;
  readonly context: CliContext;
  /**
   * Starts a command with the options that all have, or with `json` in place of theirs. A hidden one is in no help.
   */
  command(
    nameAndArguments: string,
    description: string,
    how?: { readonly hidden?: boolean; readonly json?: Option },
  ): Command;
  /** Starts a command that only holds others, and gives the registry whose commands are those. */
  group(name: string, description: string): Registry;
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
    .helpCommand('help [command]', 'print the help of a command')
    // `meet --json join …` means the same as `meet join --json …`.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Said once, by whoever ends the command.
      outputError: () => {},
    });
  for (const option of [...outputOptions(), serverOption()]) program.addOption(option);
  const registryOf = (parent: Command, words: string): Registry => ({
    program,
    context,
    command: (nameAndArguments, description, { hidden = false, json } = {}) => {
      const command = parent.command(nameAndArguments, { hidden }).description(description);
      command.exitOverride((error: CommanderError) => {
        throw new UsageError(error, `${words}${command.name()}`);
      });
      command.helpOption('-h, --help', 'print this help');
      const [usualJson, quiet] = outputOptions();
      for (const option of [json ?? usualJson, quiet]) command.addOption(option);
      return command;
    },
    group: (name, description) => {
      const group = parent.command(name).description(description);
      group.exitOverride((error: CommanderError) => {
        throw new UsageError(error, `${words}${name}`);
      });
      group.helpOption('-h, --help', 'print this help').helpCommand(false);
      return registryOf(group, `${words}${name} `);
    },
    action: (command, run) => {
      command.action(async () => {
        inheritGlobals(command, program);
        await applyConfig(command, context);
        const options = command.opts<Parameters<typeof run>[1]>();
        const output = new Output(context, options);
        const args = command.processedArgs.filter((argument) => argument !== undefined);
        program.exitCode = await run({ context, output }, options, args.map(String));
      });
    },
  });
  const registry = registryOf(program, '');
  for (const register of [
    registerServe,
    registerCreate,
    registerJoin,
    registerRecord,
    registerShare,
    registerDevices,
    registerLoad,
    registerLoadAgent,
    registerLoadDriver,
    registerChat,
    registerSay,
    registerMessages,
    registerParticipants,
    registerHost,
    registerAudit,
    registerRecording,
    registerRecordings,
    registerToken,
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

/** Options given before the command's name count where they are not given after it. */
function inheritGlobals(command: Command, program: Command): void {
  for (const option of command.options) {
    const key = option.attributeName();
    if (program.getOptionValueSource(key) !== 'cli' || command.getOptionValueSource(key) === 'cli') continue;
    command.setOptionValueWithSource(key, program.getOptionValue(key), 'cli');
  }
}

const outputOptions = (): [json: Option, quiet: Option] => [
  new Option('--json', 'write NDJSON to stdout, errors as JSON to stderr'),
  new Option('-q, --quiet', 'say nothing but results and errors'),
];

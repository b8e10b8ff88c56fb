/** Options of the commands that take part in a meeting without media. */
import { type Command, Option } from 'commander';
import type { OutputOptions } from './context.ts';
import { parseName } from './parse.ts';
import { serverOption } from './server-option.ts';

export interface MeetingOptions extends OutputOptions {
  readonly server: string;
  readonly name: string;
  readonly password?: string;
  readonly hostToken?: string;
}

/** `<meeting>`, `--server` and how to get in. */
export function addMeetingOptions(command: Command): Command {
  return command
    .argument('<meeting>', "the meeting's URL, or its id on the server")
    .addOption(serverOption())
    .addOption(
      new Option('--name <name>', 'name that the others see')
        .env('MEET_NAME')
        .default('Guest')
        .argParser(parseName),
    )
    .addOption(new Option('--password <text>', "the meeting's password").env('MEET_PASSWORD'))
    .addOption(hostTokenOption());
}

export function hostTokenOption(): Option {
  return new Option('--host-token <token>', 'act as a host, or as a token of meet token says').env(
    'MEET_HOST_TOKEN',
  );
}

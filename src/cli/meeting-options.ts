/** Options of the commands that go into a meeting. */
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

/** `<meeting>`, `--server` and how to get in; `hostToken` describes what a host token does there. */
export function addMeetingOptions(command: Command, hostToken?: string): Command {
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
    .addOption(hostTokenOption(hostToken));
}

export function hostTokenOption(does = 'act as a host, or as a token of meet token says'): Option {
  return new Option('--host-token <token>', does).env('MEET_HOST_TOKEN');
}

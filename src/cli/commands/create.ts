import { Option } from 'commander';
import { EXIT } from '../../protocol/errors.ts';
import { type CliContext, invocation, type OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import { parseCount, parseTime } from '../parse.ts';
import type { Registry } from '../program.ts';
import { serverOption } from '../server-option.ts';

interface CreateOptions extends OutputOptions {
  readonly server: string;
  readonly title?: string;
  readonly password?: string;
  readonly at?: number;
  readonly duration?: number;
}

export function registerCreate({ command, action }: Registry): void {
  const create = command('create', 'create a meeting and print its URL')
    .addOption(serverOption())
    .option('--title <text>', 'title of the meeting')
    .addOption(new Option('--password <text>', 'password that participants need').env('MEET_PASSWORD'))
    .option('--at <time>', 'when it is to start, as 2030-05-01T10:00:00Z', parseTime)
    .option('--duration <minutes>', 'planned length in minutes', parseCount(1, 60 * 24 * 7));
  action<CreateOptions>(create, ({ context, output }, options) => run(context, output, options));
}

async function run(context: CliContext, output: Output, options: CreateOptions): Promise<number> {
  const { createMeeting, serverUrl } = await import('../../client/api.ts');
  const body = {
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.at === undefined ? {} : { scheduledTime: options.at }),
    ...(options.duration === undefined ? {} : { duration: options.duration }),
    ...(options.password === undefined ? {} : { settings: { password: options.password } }),
  };
  const { meeting, hostToken } = await createMeeting(serverUrl(options.server), body, {
    signal: context.interrupted,
  });
  output.result(
    { id: meeting.id, url: meeting.url, hostToken },
    output.quiet ? meeting.url : describe(meeting.url, hostToken, invocation(context)),
  );
  return EXIT.done;
}

function describe(url: string, hostToken: string, meet: string): string {
  return `${url}\n\nJoin it:     ${meet} join ${url}\nAs the host: ${meet} join ${url} --host-token ${hostToken}`;
}

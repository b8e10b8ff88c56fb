import { Option } from 'commander';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import type { OutputOptions } from '../context.ts';
import type { Output } from '../output.ts';
import { parseCount } from '../parse.ts';
import { type Registry, serverOption } from '../program.ts';

interface CreateOptions extends OutputOptions {
  readonly server?: string;
  readonly title?: string;
  readonly password?: string;
  readonly at?: string;
  readonly duration?: number;
  readonly waitingRoom?: boolean;
  readonly record?: boolean;
}

const DEFAULT_SERVER = 'http://127.0.0.1:8080';

export function registerCreate({ command, action }: Registry): void {
  const create = command('create', 'create a meeting and print its URL')
    .addOption(serverOption())
    .option('--title <text>', 'title of the meeting')
    .addOption(new Option('--password <text>', 'password that participants need').env('MEET_PASSWORD'))
    .option('--at <time>', 'when it is to start, as 2030-05-01T10:00:00Z')
    .option('--duration <minutes>', 'planned length in minutes', parseCount(1))
    .option('--waiting-room', 'participants wait until a host lets them in')
    .option('--record', 'record it from the first participant on');
  action<CreateOptions>(create, ({ output }, options) => run(output, options));
}

async function run(output: Output, options: CreateOptions): Promise<number> {
  const { createMeeting, serverUrl } = await import('../../client/api.ts');
  const { meeting, hostToken } = await createMeeting(serverUrl(options.server ?? DEFAULT_SERVER), {
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.at === undefined ? {} : { scheduledTime: parseTime(options.at) }),
    ...(options.duration === undefined ? {} : { duration: options.duration }),
    settings: {
      ...(options.password === undefined ? {} : { password: options.password }),
      ...(options.waitingRoom ? { waitingRoom: true } : {}),
      ...(options.record ? { recording: true } : {}),
    },
  });
  output.result(
    { id: meeting.id, url: meeting.url, hostToken },
    output.quiet ? meeting.url : describe(meeting.url, hostToken),
  );
  return EXIT.done;
}

function describe(url: string, hostToken: string): string {
  return `${url}\n\nJoin it:     meet join ${url}\nAs the host: meet join ${url} --host-token ${hostToken}`;
}

function parseTime(text: string): number {
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw new MeetError('bad-config', `"${text}" is not a time.`, {
      hint: 'Give one such as 2030-05-01T10:00:00Z.',
    });
  }
  return time;
}

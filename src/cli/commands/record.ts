import { Option } from 'commander';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import { parseDuration, parseMinutes } from '../parse.ts';
import type { Registry } from '../program.ts';

export interface RecordCommandOptions extends MeetingOptions {
  readonly dir: string;
  readonly id?: string;
  readonly duration?: number;
  readonly untilEmpty?: number;
  readonly waitFor?: number;
  readonly audioOnly?: boolean;
  readonly tracksOnly?: boolean;
  readonly reconnectTimeout: number;
}

export function registerRecord({ command, action }: Registry): void {
  const record = addMeetingOptions(
    command('record', 'record a meeting: every track as it comes'),
    'record as a host may, or as a token of meet token says',
  );
  record.options.find(({ long }) => long === '--name')!.default('Recorder');
  record
    .option('--dir <folder>', 'folder of the recordings, in which this one gets one of its own', 'recordings')
    .addOption(
      new Option('--id <id>', 'name of its folder; commands come as NDJSON on stdin then').hideHelp(),
    )
    .option('--tracks-only', 'only the tracks as they come, no picture of all')
    .option('--audio-only', 'only what is heard')
    .option('--duration <time>', 'stop after this time (90s, 45m, 2h)', parseDuration)
    .addOption(
      new Option('--until-empty <minutes>', 'stop when nobody has been there for so long')
        .argParser(parseMinutes)
        .default(5 * 60_000, '5'),
    )
    .option(
      '--wait-for <minutes>',
      'wait so long for the meeting to start and somebody to come',
      parseMinutes,
    )
    .addOption(
      new Option('--reconnect-timeout <time>', 'how long to try to come back after a cut')
        .argParser(parseDuration)
        .default(300_000, '5m'),
    );
  action<RecordCommandOptions>(record, async ({ context, output }, options, args) => {
    const [meeting = ''] = args;
    const { runRecord } = await import('../record/run.ts');
    return await runRecord({ context, output }, meeting, options);
  });
}

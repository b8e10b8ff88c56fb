import { Option } from 'commander';
import type { LayoutName, RecordingFormat } from '../../protocol/recording.ts';
import { addMeetingOptions, type MeetingOptions } from '../meeting-options.ts';
import { parseCount, parseDuration, parseMinutes } from '../parse.ts';
import type { Registry } from '../program.ts';
import { FORMATS, LAYOUTS, type PictureSize, parseBitrate, parsePictureSize } from '../record/options.ts';

export interface RecordCommandOptions extends MeetingOptions {
  readonly dir: string;
  readonly id?: string;
  readonly out?: string;
  readonly s3?: string;
  readonly layout: LayoutName;
  readonly pin?: string;
  readonly size: PictureSize;
  readonly fps: number;
  readonly bitrate: number;
  readonly format?: RecordingFormat;
  readonly clock?: boolean;
  readonly duration?: number;
  readonly untilEmpty?: number;
  readonly waitFor?: number;
  readonly audioOnly?: boolean;
  readonly tracksOnly?: boolean;
  readonly reconnectTimeout: number;
  readonly ffmpeg?: string;
}

export function registerRecord({ command, action }: Registry): void {
  const record = addMeetingOptions(
    command('record', 'record a meeting: its picture and sound, and every track as it comes'),
    'record as a host may, or as a token of meet token says',
  );
  record.options.find(({ long }) => long === '--name')!.default('Recorder');
  record
    .option('--dir <folder>', 'folder of the recordings, in which this one gets one of its own', 'recordings')
    .addOption(
      new Option('--id <id>', 'name of its folder; commands come as NDJSON on stdin then').hideHelp(),
    )
    .option('--out <file>', 'put the recording there when it is finished')
    .option('--s3 <url>', 'upload it while it is recorded: s3://bucket/prefix, or a folder')
    .addOption(new Option('--layout <layout>', 'where people are').choices(LAYOUTS).default('gallery'))
    .option('--pin <name>', 'who is large in spotlight (default: the host)')
    .addOption(
      new Option('--size <WxH>', 'size of the picture')
        .argParser(parsePictureSize)
        .default({ width: 1280, height: 720 }, '1280x720'),
    )
    .addOption(new Option('--fps <n>', 'pictures a second').argParser(parseCount(1, 60)).default(30))
    .addOption(
      new Option('--bitrate <rate>', 'of the picture').argParser(parseBitrate).default(2_500_000, '2.5M'),
    )
    .addOption(new Option('--format <format>', 'kind of file (default: mp4)').choices(FORMATS))
    .option('--clock', 'show the time of day in a corner')
    .option('--tracks-only', 'only the tracks as they come, no picture of all')
    .option('--audio-only', 'only what is heard, as M4A')
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
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<RecordCommandOptions>(record, async ({ context, output }, options, args) => {
    const [meeting = ''] = args;
    const { runRecord } = await import('../record/run.ts');
    return await runRecord({ context, output }, meeting, options);
  });
}

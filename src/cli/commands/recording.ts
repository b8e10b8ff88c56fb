import { Argument, type Command, Option } from 'commander';
import type { AccessScope, LayoutName, RecordingFormat } from '../../protocol/recording.ts';
import type { OutputOptions } from '../context.ts';
import { hostTokenOption } from '../meeting-options.ts';
import { parseCount } from '../parse.ts';
import type { Registry } from '../program.ts';
import { FORMATS, LAYOUTS, type PictureSize, parseBitrate, parsePictureSize } from '../record/options.ts';
import { serverOption } from '../server-option.ts';

export interface RecordingCommandOptions extends OutputOptions {
  readonly server: string;
  readonly hostToken?: string;
}

export interface StartRecordingOptions extends RecordingCommandOptions {
  readonly layout?: LayoutName;
  readonly pin?: string;
  readonly size?: PictureSize;
  readonly fps?: number;
  readonly bitrate?: number;
  readonly format?: RecordingFormat;
  readonly clock?: boolean;
  readonly tracksOnly?: boolean;
  readonly access?: AccessScope;
}

export interface LayoutRecordingOptions extends RecordingCommandOptions {
  /** `false` takes it away. */
  readonly pin?: string | false;
}

export const SCOPES: readonly AccessScope[] = ['hosts', 'participants', 'link'];

export function registerRecording({ group }: Registry): void {
  const { command, action } = group('recording', 'record a meeting on its server: start, pause, stop');
  const ofMeeting = (words: string, description: string): Command =>
    command(words, description)
      .argument('<meeting>', "the meeting's URL, or its id on the server")
      .addOption(serverOption())
      .addOption(hostTokenOption());

  const start = ofMeeting('start', 'start the recording')
    .addOption(new Option('--layout <layout>', 'where the participants are').choices(LAYOUTS))
    .addOption(new Option('--pin <name>', 'who is large in the spotlight layout (default: the host)'))
    .addOption(
      new Option('--size <size>', 'width and height in pixels, as 1280x720').argParser(parsePictureSize),
    )
    .addOption(new Option('--fps <n>', 'pictures a second').argParser(parseCount(1, 60)))
    .addOption(new Option('--bitrate <rate>', 'of the picture, as 2M').argParser(parseBitrate))
    .addOption(new Option('--format <format>', 'kind of file').choices(FORMATS))
    .addOption(new Option('--clock', 'show the time of day in a corner'))
    .addOption(new Option('--tracks-only', 'keep the tracks as they are received and nothing else'))
    .addOption(new Option('--access <who>', 'who may see it').choices(SCOPES));
  action<StartRecordingOptions>(start, async (deps, options, [meeting = '']) => {
    const { runStart } = await import('../recordings/control.ts');
    return await runStart(deps, meeting, options);
  });

  action<RecordingCommandOptions>(
    ofMeeting('stop', 'stop the recording'),
    async (deps, options, [meeting = '']) => {
      const { runStop } = await import('../recordings/control.ts');
      return await runStop(deps, meeting, options);
    },
  );
  for (const [name, about, paused] of [
    ['pause', 'record nothing until it is resumed', true],
    ['resume', 'go on with a recording that is paused', false],
  ] as const) {
    action<RecordingCommandOptions>(ofMeeting(name, about), async (deps, options, [meeting = '']) => {
      const { runChange } = await import('../recordings/control.ts');
      return await runChange(deps, meeting, options, { paused });
    });
  }

  const layout = ofMeeting('layout', 'give the recording another layout')
    .addArgument(new Argument('<layout>', 'where the participants are').choices(LAYOUTS))
    .addOption(new Option('--pin <name>', 'who is large in the spotlight layout'))
    .addOption(new Option('--no-pin', 'nobody in particular'));
  action<LayoutRecordingOptions>(layout, async (deps, options, [meeting = '', name]) => {
    const { runChange } = await import('../recordings/control.ts');
    const { pin } = options;
    const pinned = pin === undefined ? {} : { pin: pin === false ? null : pin };
    return await runChange(deps, meeting, options, { layout: name as LayoutName, ...pinned });
  });

  action<RecordingCommandOptions>(
    ofMeeting('state', 'tell whether the meeting is being recorded'),
    async (deps, options, [meeting = '']) => {
      const { runState } = await import('../recordings/control.ts');
      return await runState(deps, meeting, options);
    },
  );
}

import { Option } from 'commander';
import type { LayoutName } from '../../../recorder/types.ts';
import type { OutputOptions } from '../../context.ts';
import { parseCount } from '../../parse.ts';
import type { Registry } from '../../program.ts';
import { LAYOUTS, type PictureSize, parseBitrate, parsePictureSize } from '../../record/options.ts';
import { recordingsDirOption } from './dir-option.ts';

export interface RenderCommandOptions extends OutputOptions {
  readonly dir: string;
  readonly out: string;
  readonly layout?: LayoutName;
  readonly pin?: string;
  readonly size?: PictureSize;
  readonly fps?: number;
  readonly bitrate?: number;
  readonly clock?: boolean;
  readonly ffmpeg?: string;
}

export function registerRender({ command, action }: Registry): void {
  const render = command('render', 'make another picture of a recording from its tracks')
    .argument('<id>', 'the recording')
    .addOption(recordingsDirOption())
    .requiredOption('--out <file>', 'MP4, WebM or M4A to make, by its ending')
    .addOption(new Option('--layout <layout>', 'where the tiles are (default: as recorded)').choices(LAYOUTS))
    .option('--pin <name>', 'who is large in a spotlight')
    .addOption(
      new Option('--size <WxH>', 'of the picture (default: as recorded)').argParser(parsePictureSize),
    )
    .addOption(
      new Option('--fps <n>', 'pictures a second (default: as recorded)').argParser(parseCount(1, 60)),
    )
    .addOption(
      new Option('--bitrate <rate>', 'of the picture, as 2.5M (default: as recorded)').argParser(
        parseBitrate,
      ),
    )
    .option('--clock', 'the time of day in a corner')
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<RenderCommandOptions>(render, async (deps, options, [id = '']) => {
    const { runRender } = await import('../../recordings/render.ts');
    return await runRender(deps, id, options);
  });
}

import { Option } from 'commander';
import type { OutputOptions } from '../../context.ts';
import { parseCount } from '../../parse.ts';
import type { Registry } from '../../program.ts';
import { recordingsDirOption } from './dir-option.ts';

export interface CompressCommandOptions extends OutputOptions {
  readonly dir: string;
  readonly crf: number;
  readonly preset: string;
  readonly ffmpeg?: string;
}

/** Of x265. */
const PRESETS = [
  'ultrafast',
  'superfast',
  'veryfast',
  'faster',
  'fast',
  'medium',
  'slow',
  'slower',
  'veryslow',
];

export function registerCompress({ command, action }: Registry): void {
  const compress = command('compress', 'make finished recordings smaller, as H.265')
    .argument('<id>', 'the recording')
    .addOption(recordingsDirOption())
    .addOption(
      new Option('--crf <n>', 'quality: 0 is lossless, 51 the worst')
        .argParser(parseCount(0, 51))
        .default(26),
    )
    .addOption(
      new Option('--preset <name>', 'slower ones make smaller files').choices(PRESETS).default('medium'),
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  action<CompressCommandOptions>(compress, async (deps, options, [id = '']) => {
    const { runCompress } = await import('../../recordings/compress.ts');
    return await runCompress(deps, id, options);
  });
}

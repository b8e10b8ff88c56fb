import { InvalidArgumentError, Option } from 'commander';
import { STEP_NAMES, type StepName } from '../../../recorder/after/steps/step.ts';
import type { OutputOptions } from '../../context.ts';
import { parseDuration } from '../../parse.ts';
import type { Registry } from '../../program.ts';
import { recordingsDirOption } from './dir-option.ts';
import { addTranscriberOptions, type TranscriberOptions } from './transcriber-options.ts';

export interface ProcessCommandOptions extends OutputOptions, TranscriberOptions {
  readonly dir: string;
  readonly all?: boolean;
  readonly redo: readonly StepName[];
  readonly minChapter?: number;
  readonly ffmpeg?: string;
}

const collect = (value: StepName, before: readonly StepName[]): StepName[] => [...before, value];

export function registerProcess({ command, action }: Registry): void {
  const process = command('process', 'finish recordings: chapters, thumbnails, transcript')
    .argument('[id]', 'the recording; without one, all that are not done, as with --all')
    .addOption(recordingsDirOption())
    .option('--all', 'all recordings that are not done; those that failed lately are left for later')
    .addOption(
      new Option('--redo <step>', `do a step again although it is done: ${STEP_NAMES.join(', ')}`)
        .argParser((text: string, before: readonly StepName[]) => collect(stepName(text), before))
        .default([], 'none'),
    )
    .addOption(
      new Option(
        '--min-chapter <time>',
        'what is shorter is a part of another chapter (default: 30s)',
      ).argParser(parseDuration),
    )
    .addOption(new Option('--ffmpeg <path>', 'ffmpeg to use').env('MEET_FFMPEG'));
  addTranscriberOptions(process);
  action<ProcessCommandOptions>(process, async (deps, options, [id]) => {
    const { runProcess } = await import('../../recordings/process.ts');
    return await runProcess(deps, id, options);
  });
}

function stepName(text: string): StepName {
  const known = STEP_NAMES.find((name) => name === text);
  if (known !== undefined) return known;
  throw new InvalidArgumentError(`The steps are ${STEP_NAMES.join(', ')}.`);
}

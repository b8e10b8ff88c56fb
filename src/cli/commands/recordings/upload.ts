import type { OutputOptions } from '../../context.ts';
import { parseCount } from '../../parse.ts';
import type { Registry } from '../../program.ts';
import { recordingsDirOption } from './dir-option.ts';
import { addTargetOptions, type TargetCommandOptions } from './target-options.ts';

export interface UploadCommandOptions extends OutputOptions, TargetCommandOptions {
  readonly dir: string;
  readonly all?: boolean;
  readonly parallel: number;
  readonly removeLocal?: boolean;
}

export function registerUpload({ command, action }: Registry): void {
  const upload = command('upload', 'upload recordings, or finish what was begun')
    .argument('[id]', 'the recording; without one, all that are over, as with --all')
    .addOption(recordingsDirOption())
    .option('--all', 'all recordings that are over');
  addTargetOptions(upload)
    .option('--parallel <n>', 'parts on their way at once', parseCount(1, 16), 3)
    .option('--remove-local', 'remove recordings and tracks here once they are there, verified');
  action<UploadCommandOptions>(upload, async (deps, options, [id]) => {
    const { runUpload } = await import('../../recordings/upload.ts');
    return await runUpload(deps, id, options);
  });
}

import { resolve } from 'node:path';
import { findFfmpeg } from '../../media/ffmpeg/locate.ts';
import { EXIT } from '../../protocol/errors.ts';
import { compressRecording } from '../../recorder/after/compress.ts';
import type { CompressCommandOptions } from '../commands/recordings/compress.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { recordingPath } from './path.ts';

/** Makes a recording smaller; resolves with the exit code. */
export async function runCompress(
  { context, output }: { readonly context: CliContext; readonly output: Output },
  id: string,
  { dir, crf, preset, ffmpeg }: CompressCommandOptions,
): Promise<number> {
  const report = await compressRecording(recordingPath(resolve(dir), id), {
    ...{ crf, preset, signal: context.interrupted },
    ffmpeg: await findFfmpeg(ffmpeg === undefined ? {} : { path: ffmpeg }),
  });
  const { before, after, note } = report;
  const size = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`;
  output.outcome(report, note ?? `${id}: ${size(before)} → ${size(after)}`);
  return EXIT.done;
}

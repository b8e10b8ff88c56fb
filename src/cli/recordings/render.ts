import { extname, resolve } from 'node:path';
import { findFfmpeg } from '../../media/ffmpeg/locate.ts';
import { EXIT, MeetError } from '../../protocol/errors.ts';
import { renderRecording } from '../../recorder/render/render.ts';
import type { RecordingFormat } from '../../recorder/types.ts';
import type { RenderCommandOptions } from '../commands/recordings/render.ts';
import type { CliContext } from '../context.ts';
import type { Output } from '../output.ts';
import { recordingPath } from './path.ts';

const FORMATS: Readonly<Record<string, RecordingFormat>> = { '.mp4': 'mp4', '.webm': 'webm', '.m4a': 'm4a' };
/** Progress is told so often, milliseconds of output. */
const PROGRESS_MS = 60_000;

/** Makes a file of a recording's tracks; resolves with the exit code. */
export async function runRender(
  { context, output }: { readonly context: CliContext; readonly output: Output },
  id: string,
  { dir, out, size, ffmpeg, layout, pin, fps, bitrate, clock }: RenderCommandOptions,
): Promise<number> {
  const format = FORMATS[extname(out).toLowerCase()];
  if (format === undefined)
    throw new MeetError('bad-request', `${out} ends neither in .mp4 nor in .webm nor in .m4a.`);
  const report = await renderRecording(recordingPath(resolve(dir), id), {
    ...{ out: resolve(out), format, ...size, layout, pin, fps, bitrate, clock, signal: context.interrupted },
    ffmpeg: await findFfmpeg(ffmpeg === undefined ? {} : { path: ffmpeg }),
    onProgress: (doneMs, wholeMs) => {
      if (doneMs % PROGRESS_MS !== 0) return;
      output.event('progress', { id, doneMs, wholeMs });
      output.note(`${Math.round((100 * doneMs) / wholeMs)} % of ${Math.round(wholeMs / 60_000)} minutes`);
    },
  });
  output.outcome(
    report,
    `${report.path}: ${report.seconds.toFixed(1)} s, made in ${report.took.toFixed(1)} s`,
  );
  return EXIT.done;
}

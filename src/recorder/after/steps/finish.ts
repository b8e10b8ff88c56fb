import { join } from 'node:path';
import { remux } from '../mux/remux.ts';
import { placeFile } from '../place.ts';
import { durationMs, readChapters } from './chapters.ts';
import { fingerprint, liveFile, outputFile } from './paths.ts';
import { notedStep, type Step } from './step.ts';

/** Makes the finished file of the one that was written while recording; with chapters, and playable from its beginning. */
export const finishStep: Step = {
  name: 'finish',
  key: async ({ folder }) => {
    const live = await fingerprint(liveFile(folder));
    // The live file may be gone once the finished one is there: it is then no reason to do anything.
    if (live === undefined) return notedStep(folder, 'finish')?.key ?? 'none';
    return `${live} ${notedStep(folder, 'chapters')?.key}`;
  },
  outputs: ({ folder }) => [outputFile(folder)],
  run: async (context) => {
    const { folder, ffmpeg, workFolder, signal } = context;
    const { title, startedAt, options } = folder.recording;
    const live = liveFile(folder);
    if ((await fingerprint(live)) === undefined) {
      return options.tracksOnly
        ? 'Only the tracks were recorded; `meet recordings render` makes a picture of them.'
        : 'There is no live file to finish; `meet recordings render` makes one of the tracks.';
    }
    const finished = join(workFolder, `recording.${options.format}`);
    const chapters = await readChapters(context);
    const seconds = durationMs(folder) / 1_000;
    const input = { media: live, format: options.format, chapters, title, startedAt, seconds };
    await remux(ffmpeg, input, finished, { workFolder, signal });
    await placeFile(finished, outputFile(folder));
    return undefined;
  },
};

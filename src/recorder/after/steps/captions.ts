import { join } from 'node:path';
import { captionsOf } from '../captions.ts';
import { remux } from '../mux/remux.ts';
import { placeFile } from '../place.ts';
import { durationMs, readChapters } from './chapters.ts';
import { fingerprint, outputFile, RESULTS } from './paths.ts';
import { notedStep, type Step } from './step.ts';

/** Puts the transcript into the finished file as a subtitle track. */
export const captionsStep: Step = {
  name: 'captions',
  key: async ({ folder }) =>
    `${notedStep(folder, 'finish')?.key} ${await fingerprint(folder.file(RESULTS.transcript))}`,
  outputs: ({ folder }) => [outputFile(folder)],
  run: async (context) => {
    const { folder, ffmpeg, transcriber, workFolder, signal } = context;
    const { title, startedAt, options } = folder.recording;
    const vtt = folder.file(RESULTS.transcript);
    const media = outputFile(folder);
    if ((await fingerprint(vtt)) === undefined) return 'There is no transcript.';
    if ((await fingerprint(media)) === undefined) return 'There is no finished file.';
    const captions = await captionsOf(folder.path, options.format, workFolder);
    if (captions === undefined) return 'Nobody spoke.';
    const finished = join(workFolder, `captioned.${options.format}`);
    const chapters = await readChapters(context);
    const seconds = durationMs(folder) / 1_000;
    const input = { media, format: options.format, chapters, title, startedAt, seconds };
    const language = transcriber?.language;
    await remux(ffmpeg, { ...input, captions: { ...captions, language } }, finished, { workFolder, signal });
    await placeFile(finished, media);
    return undefined;
  },
};

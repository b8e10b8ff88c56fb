import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveError } from '../../../media/save/index.ts';
import { remux } from '../mux/remux.ts';
import { placeFile } from '../place.ts';
import { flattenCues } from '../transcript/cues.ts';
import { writeSrt } from '../vtt/srt.ts';
import { parseTranscript } from '../vtt/transcript.ts';
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
    const cues = parseTranscript(await readFile(vtt, 'utf8'));
    if (cues.length === 0) return 'Nobody spoke.';
    const path = options.format === 'webm' ? vtt : join(workFolder, 'captions.srt');
    try {
      if (path !== vtt) await writeFile(path, writeSrt(flattenCues(cues)));
    } catch (error) {
      throw saveError(path, error);
    }
    const finished = join(workFolder, `captioned.${options.format}`);
    const chapters = await readChapters(context);
    const captions = { path, language: transcriber?.language };
    const seconds = durationMs(folder) / 1_000;
    const input = { media, format: options.format, chapters, title, startedAt, captions, seconds };
    await remux(ffmpeg, input, finished, { workFolder, signal });
    await placeFile(finished, media);
    return undefined;
  },
};

import { join } from 'node:path';
import { probe } from '../../../media/ffmpeg/probe.ts';
import { MeetError } from '../../../protocol/errors.ts';
import { replaceFile } from '../../folder/replace-file.ts';
import { placeFile, placeFolder } from '../place.ts';
import { makeThumbnails, planThumbnails, spriteVtt } from '../thumbnails.ts';
import { fingerprint, outputFile, RESULTS } from './paths.ts';
import { notedStep, type Step } from './step.ts';

/** Writes `thumbnails/`, `sprite.jpg` and `thumbnails.vtt`. */
export const thumbnailsStep: Step = {
  name: 'thumbnails',
  // Captions and another codec change the file, but not its pictures.
  key: async ({ folder }) => `${notedStep(folder, 'finish')?.key}`,
  outputs: ({ folder }) =>
    [RESULTS.thumbnails, RESULTS.sprite, RESULTS.thumbnailsVtt].map((name) => folder.file(name)),
  run: async ({ folder, ffmpeg, workFolder, signal }) => {
    const media = outputFile(folder);
    if ((await fingerprint(media)) === undefined) return 'There is no finished file.';
    const { video, duration } = await probe(ffmpeg, media, signal);
    if (!video) return 'The recording has no picture.';
    if (duration === undefined)
      throw new MeetError('media-unusable', `${media} does not say how long it is.`);
    const plan = planThumbnails(duration, video.width, video.height);
    const count = await makeThumbnails(ffmpeg, media, workFolder, plan, signal);
    if (count === 0) throw new MeetError('media-unusable', `${media} has no picture that can be decoded.`);
    await placeFolder(join(workFolder, 'thumbnails'), folder.file(RESULTS.thumbnails));
    await placeFile(join(workFolder, 'sprite.jpg'), folder.file(RESULTS.sprite));
    await replaceFile(folder.file(RESULTS.thumbnailsVtt), spriteVtt(plan, count, duration));
    return undefined;
  },
};

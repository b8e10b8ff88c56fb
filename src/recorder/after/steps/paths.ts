/** Where the results of the steps are in a recording's folder. */
import { stat } from 'node:fs/promises';
import { MeetError } from '../../../protocol/errors.ts';
import { FILES, type RecordingFolder } from '../../folder/index.ts';
import { isMissing } from '../place.ts';

export const RESULTS = {
  chapters: 'chapters.vtt',
  transcript: 'transcript.vtt',
  /** What was transcribed by an unfinished step. */
  transcriptParts: 'transcript',
  thumbnails: 'thumbnails',
  sprite: 'sprite.jpg',
  thumbnailsVtt: 'thumbnails.vtt',
} as const;

/** The file that was written while recording. */
export function liveFile(folder: RecordingFolder): string {
  return folder.file(`${FILES.live}.${folder.recording.options.format}`);
}

/** The finished one. */
export function outputFile(folder: RecordingFolder): string {
  return folder.file(`${FILES.output}.${folder.recording.options.format}`);
}

/** Size and time of change, as a text that differs for another content; `undefined` where there is no such file. */
export async function fingerprint(path: string): Promise<string | undefined> {
  try {
    const { size, mtimeMs } = await stat(path);
    return `${size}@${Math.round(mtimeMs)}`;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw new MeetError('no-permission', `${path} cannot be read.`, { cause });
  }
}

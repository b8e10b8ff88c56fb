/** The transcript of a recording as what a subtitle track is made of. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { RecordingFormat } from '../types.ts';
import { isMissing } from './place.ts';
import { RESULTS } from './steps/paths.ts';
import { flattenCues } from './transcript/cues.ts';
import { writeSrt } from './vtt/srt.ts';
import { parseTranscript } from './vtt/transcript.ts';

/**
 * A file with the captions of a recording, as its format takes them; `undefined` where there is no transcript or nobody
 * spoke.
 *
 * @throws MeetError `no-permission`, `disk-full`
 */
export async function captionsOf(
  folder: string,
  format: RecordingFormat,
  workFolder: string,
): Promise<{ readonly path: string } | undefined> {
  const vtt = join(folder, RESULTS.transcript);
  const text = await readFile(vtt, 'utf8').catch((cause: unknown) => {
    if (isMissing(cause)) return undefined;
    throw new MeetError('no-permission', `${vtt} cannot be read.`, { cause });
  });
  const cues = parseTranscript(text ?? '');
  if (cues.length === 0) return undefined;
  if (format === 'webm') return { path: vtt };
  const path = join(workFolder, 'captions.srt');
  try {
    await writeFile(path, writeSrt(flattenCues(cues)));
  } catch (error) {
    throw saveError(path, error);
  }
  return { path };
}

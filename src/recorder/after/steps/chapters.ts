import { FILES, outputDurationMs, type RecordingFolder } from '../../folder/index.ts';
import { replaceFile } from '../../folder/replace-file.ts';

import { readEvents } from '../../tracks/index.ts';
import type { RecordingEvent } from '../../types.ts';
import { type Chapter, chaptersOf, MINIMUM_CHAPTER_MS } from '../chapters.ts';
import { writeVtt } from '../vtt/write.ts';
import { fingerprint, RESULTS } from './paths.ts';
import type { Step, StepContext } from './step.ts';

/** Writes `chapters.vtt`. */
export const chaptersStep: Step = {
  name: 'chapters',
  key: async ({ folder, minimumChapterMs = MINIMUM_CHAPTER_MS }) =>
    `${await fingerprint(folder.file(FILES.events))} ${minimumChapterMs}`,
  outputs: ({ folder }) => [folder.file(RESULTS.chapters)],
  run: async (context) => {
    const chapters = await readChapters(context);
    const cues = chapters.map(({ title, ...times }) => ({ ...times, text: title }));
    await replaceFile(context.folder.file(RESULTS.chapters), writeVtt(cues));
    return undefined;
  },
};

/** The chapters of a recording. @throws MeetError `no-permission` */
export async function readChapters({
  folder,
  minimumChapterMs,
}: Pick<StepContext, 'folder' | 'minimumChapterMs'>): Promise<Chapter[]> {
  const events: RecordingEvent[] = [];
  for await (const event of readEvents(folder.file(FILES.events))) events.push(event);
  return chaptersOf(events, folder.recording, {
    durationMs: durationMs(folder),
    ...(minimumChapterMs === undefined ? {} : { minimumMs: minimumChapterMs }),
  });
}

/** Length of the output by the recording's own times, milliseconds. */
export function durationMs({ recording }: Pick<RecordingFolder, 'recording'>): number {
  return outputDurationMs(recording, recording.stoppedAt ?? recording.startedAt ?? 0);
}

import { rm } from 'node:fs/promises';
import { FILES } from '../../folder/index.ts';
import { replaceFile } from '../../folder/replace-file.ts';

import { type SoundTrack, soundTracks } from '../transcript/track-time.ts';
import { transcribeTracks } from '../transcript/transcribe.ts';
import { writeVtt } from '../vtt/write.ts';
import { allEvents } from './events.ts';
import { fingerprint, RESULTS } from './paths.ts';
import type { Step, StepContext } from './step.ts';

export const NO_TRANSCRIBER =
  'No transcriber is configured; choose one with `meet config set transcriber openai|aws|google|command`.';

/** Writes `transcript.vtt`. */
export const transcriptStep: Step = {
  name: 'transcript',
  // Another provider is no reason to pay for all old recordings again.
  key: async (context) => {
    const files = (await tracksOf(context)).map(({ file }) => file);
    const prints = await Promise.all(
      files.map((file) => fingerprint(context.folder.file(FILES.tracks, file))),
    );
    return files.map((file, index) => `${file} ${prints[index]}`).join('\n');
  },
  outputs: ({ folder }) => [folder.file(RESULTS.transcript)],
  run: async (context) => {
    const { folder, ffmpeg, transcriber, workFolder, retry, signal } = context;
    if (!transcriber) return NO_TRANSCRIBER;
    const tracks = await tracksOf(context);
    if (tracks.length === 0) return 'There is no sound to transcribe.';
    const partsFolder = folder.file(RESULTS.transcriptParts);
    const cues = await transcribeTracks(tracks, {
      ...{ ffmpeg, transcriber, recording: folder.recording, partsFolder, workFolder, retry, signal },
      tracksFolder: folder.file(FILES.tracks),
    });
    await replaceFile(folder.file(RESULTS.transcript), writeVtt(cues));
    await rm(partsFolder, { recursive: true, force: true });
    return undefined;
  },
};

/** Tracks whose file is there: one that was opened and got nothing has none. */
async function tracksOf({ folder }: StepContext): Promise<SoundTrack[]> {
  const tracks = soundTracks(await allEvents(folder));
  const there = await Promise.all(tracks.map(({ file }) => fingerprint(folder.file(FILES.tracks, file))));
  return tracks.filter((_, index) => there[index] !== undefined);
}

import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { RecordingFolder } from '../../folder/index.ts';
import { replaceFile } from '../../folder/replace-file.ts';
import { openTracks, type StoredTrack } from '../../tracks/index.ts';
import { transcribeTracks } from '../transcript/transcribe.ts';
import { writeVtt } from '../vtt/write.ts';
import { fingerprint, RESULTS } from './paths.ts';
import type { Step } from './step.ts';

export const NO_TRANSCRIBER =
  'No transcriber is configured; choose one with `meet config set transcriber openai|aws|google|command`.';

/** Writes `transcript.vtt`. */
export const transcriptStep: Step = {
  name: 'transcript',
  // Each piece is tried several times already.
  attempts: 1,
  // Another provider is no reason to pay for all old recordings again.
  key: async ({ folder }) => {
    const tracks = await tracksOf(folder);
    return tracks.map(({ path, print }) => `${basename(path)} ${print}`).join('\n');
  },
  outputs: ({ folder }) => [folder.file(RESULTS.transcript)],
  run: async (context) => {
    const { folder, ffmpeg, transcriber, workFolder, retry, signal } = context;
    if (!transcriber) return NO_TRANSCRIBER;
    const tracks = await tracksOf(folder);
    if (tracks.length === 0) return 'There is no sound to transcribe.';
    const partsFolder = folder.file(RESULTS.transcriptParts);
    const { recording } = folder;
    const job = { ffmpeg, transcriber, recording, partsFolder, workFolder, retry, signal };
    const cues = await transcribeTracks(tracks, job);
    await replaceFile(folder.file(RESULTS.transcript), writeVtt(cues));
    await rm(partsFolder, { recursive: true, force: true });
    return undefined;
  },
};

/** The tracks with sound; one that was opened and got nothing has no file. */
async function tracksOf(folder: RecordingFolder): Promise<(StoredTrack & { readonly print: string })[]> {
  const found: (StoredTrack & { readonly print: string })[] = [];
  for (const track of await openTracks(folder.path)) {
    const print = track.kind === 'audio' ? await fingerprint(track.path) : undefined;
    if (print !== undefined) found.push({ ...track, print });
  }
  return found;
}

/** The recordings below a folder. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import { FILES, readRecording } from './folder.ts';
import { isLocked } from './lock.ts';
import { isUnfinished, type Recording } from './recording.ts';

export interface ListedRecording {
  readonly path: string;
  readonly recording: Recording;
  /** A process works on it. */
  readonly busy: boolean;
}

export interface Listing {
  /** The newest first. */
  readonly recordings: readonly ListedRecording[];
  /** Folders whose `recording.json` is not usable, and why. */
  readonly damaged: readonly { readonly path: string; readonly error: MeetError }[];
}

/**
 * All recordings directly below a folder; none where there is no such folder.
 *
 * @throws MeetError `no-permission`
 */
export async function listRecordings(directory: string): Promise<Listing> {
  const names = await namesIn(directory);
  const recordings: ListedRecording[] = [];
  const damaged: { path: string; error: MeetError }[] = [];
  for (const name of names) {
    const path = join(directory, name);
    try {
      recordings.push({ path, recording: await readRecording(path), busy: await isLocked(path) });
    } catch (cause) {
      const error = MeetError.from(cause);
      if (error.code !== 'not-found') damaged.push({ path, error });
    }
  }
  recordings.sort((a, b) => b.recording.createdAt - a.recording.createdAt);
  return { recordings, damaged };
}

/** When a recording last grew, milliseconds since the epoch. */
export async function lastSignOfLife({ path, recording }: ListedRecording): Promise<number> {
  const times = await Promise.all(
    [FILES.events, FILES.recording].map((name) =>
      stat(join(path, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => recording.createdAt,
      ),
    ),
  );
  return Math.max(recording.createdAt, ...times);
}

/** Recordings of a meeting that were not stopped and that nobody works on: their recorder has died. */
export async function findUnfinished(
  directory: string,
  meeting: { readonly server: string; readonly meetingId: string },
): Promise<ListedRecording[]> {
  const { recordings } = await listRecordings(directory);
  return recordings.filter(
    ({ recording, busy }) =>
      !busy &&
      isUnfinished(recording.state) &&
      recording.server === meeting.server &&
      recording.meetingId === meeting.meetingId,
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT') return [];
    throw new MeetError('no-permission', `The folder ${directory} cannot be read.`, { cause });
  }
}

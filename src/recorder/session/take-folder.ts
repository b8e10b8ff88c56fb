/** Which folder a run records into: that of a recording whose recorder died, or a new one. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import {
  findUnfinished,
  isUnfinished,
  lastSignOfLife,
  listRecordings,
  lockFile,
  RecordingFolder,
} from '../folder/index.ts';
import type { RecordingOptions } from '../types.ts';

/** A recorder that died longer ago is not gone on with: what it left is a recording of its own. */
const RESUME_WITHIN_MS = 60 * 60_000;

export interface FolderChoice {
  /** The folder of all recordings; made where it is not there. */
  readonly directory: string;
  /** Base URL of the meeting's server. */
  readonly server: string;
  readonly meetingId: string;
  readonly title: string | null;
  readonly options: RecordingOptions;
  /** The recording's id, where somebody else has chosen it; that of one that has ended gives it as it is. */
  readonly id?: string;
}

export interface TakenFolder {
  readonly folder: RecordingFolder;
  /** When the recorder that died was last heard of; `undefined` for a new recording, and one that has ended. */
  readonly diedAt: number | undefined;
}

/**
 * Takes the folder, and with it the recording's lock. Two runs for the same meeting never both get one.
 *
 * @throws MeetError `recording-busy` while another process records the meeting there, `disk-full`, `no-permission`,
 *   `bad-config`
 */
export async function takeFolder(choice: FolderChoice): Promise<TakenFolder> {
  const { directory, meetingId, id } = choice;
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw saveError(directory, error);
  }
  // Both would else find that there is none, and each make one.
  const choosing = await lockFile(
    join(directory, `.${meetingId}.lock`),
    `The choice of a folder for ${meetingId}`,
  );
  try {
    return id === undefined ? await chosen(choice) : await named(choice, id);
  } finally {
    await choosing.release();
  }
}

async function named(choice: FolderChoice, id: string): Promise<TakenFolder> {
  const { recordings } = await listRecordings(choice.directory);
  const known = recordings.find(({ recording }) => recording.id === id);
  if (known === undefined) return create(choice, id);
  const diedAt = isUnfinished(known.recording.state) ? await lastSignOfLife(known) : undefined;
  return { folder: await RecordingFolder.open(known.path), diedAt };
}

async function chosen(choice: FolderChoice): Promise<TakenFolder> {
  const { directory, server, meetingId } = choice;
  const { recordings } = await listRecordings(directory);
  const busy = recordings.find(
    ({ recording, busy }) =>
      busy &&
      isUnfinished(recording.state) &&
      recording.server === server &&
      recording.meetingId === meetingId,
  );
  if (busy !== undefined) {
    throw new MeetError('recording-busy', `The meeting is being recorded already, in ${busy.path}.`);
  }
  let taken: TakenFolder | undefined;
  for (const found of await findUnfinished(directory, { server, meetingId })) {
    const diedAt = await lastSignOfLife(found);
    const folder = await RecordingFolder.open(found.path);
    if (taken === undefined && Date.now() - diedAt < RESUME_WITHIN_MS) taken = { folder, diedAt };
    else await abandon(folder, diedAt);
  }
  return taken ?? create(choice, newId(meetingId, Date.now()));
}

/** What a recorder left that died long ago: whole as it is, to be finished by the work after the meeting. */
async function abandon(folder: RecordingFolder, diedAt: number): Promise<void> {
  try {
    const { state } = folder.recording;
    if (state === 'waiting')
      await folder.become('failed', { stoppedAt: diedAt, error: 'The recorder died.' });
    else await folder.become('stopped', { stoppedAt: diedAt });
  } finally {
    await folder.close();
  }
}

async function create(choice: FolderChoice, id: string): Promise<TakenFolder> {
  const { directory, server, meetingId, title, options } = choice;
  const createdAt = Date.now();
  const folder = await RecordingFolder.create(directory, {
    id,
    server,
    meetingId,
    title,
    createdAt,
    options,
  });
  return { folder, diedAt: undefined };
}

/** `<meeting>-20300501T100000Z`. */
function newId(meetingId: string, at: number): string {
  return `${meetingId}-${new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
}

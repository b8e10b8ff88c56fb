/** Recordings in a folder of this machine, without a server. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import type { RecordingFile, RecordingStep } from '../../protocol/recording.ts';
import {
  FILES,
  isLocked,
  type ListedRecording,
  listRecordings,
  outputDurationMs,
  RecordingFolder,
  readRecording,
} from '../../recorder/folder/index.ts';
import type { PrintedRecording } from './print.ts';

export interface LocalRecording extends PrintedRecording {
  readonly path: string;
  /** A process works on it. */
  readonly busy: boolean;
  readonly files: Pick<RecordingFile, 'name' | 'size'>[];
  readonly steps: RecordingStep[];
}

/** The newest first, and what cannot be read. @throws MeetError `no-permission` */
export async function listLocal(
  dir: string,
): Promise<{ recordings: LocalRecording[]; damaged: readonly { path: string; error: MeetError }[] }> {
  const { recordings, damaged } = await listRecordings(resolve(dir));
  return { recordings: await Promise.all(recordings.map(describe)), damaged };
}

/** @throws MeetError `not-found`, `bad-config`, `no-permission` */
export async function showLocal(folder: string, id: string): Promise<LocalRecording> {
  const path = join(folder, id);
  return await describe({ path, recording: await readRecording(path), busy: await isLocked(path) });
}

/** Where a file of it is; the recording itself unless named. @throws MeetError `not-found`, `recording-not-ready` */
export async function localFile(folder: string, id: string, name: string | undefined): Promise<string> {
  const { files, path, busy } = await showLocal(folder, id);
  const file = name === undefined ? files[0] : files.find((one) => one.name === name);
  if (file !== undefined) return join(path, file.name);
  if (busy) throw new MeetError('recording-not-ready', 'The recording is not finished yet.');
  throw new MeetError(
    'not-found',
    name === undefined ? `${id} has no file.` : `${id} has no file "${name}".`,
  );
}

/** With all that is in its folder. @throws MeetError `recording-busy` while somebody works on it, `not-found` */
export async function deleteLocal(folder: string, id: string): Promise<void> {
  const opened = await RecordingFolder.open(join(folder, id));
  try {
    await rm(opened.path, { recursive: true, force: true });
  } finally {
    await opened.close();
  }
}

async function describe({ path, recording, busy }: ListedRecording): Promise<LocalRecording> {
  const { id, meetingId, title, state, createdAt, startedAt = null, stoppedAt, error = null } = recording;
  const files = await filesOf(path);
  const endedAt = stoppedAt ?? null;
  return {
    ...{ id, meetingId, title, status: state, createdAt, startedAt, endedAt, error, path, busy },
    durationMs: startedAt === null ? null : Math.round(outputDurationMs(recording, stoppedAt ?? Date.now())),
    sizeBytes: files[0]?.size ?? null,
    files,
    steps: Object.entries(recording.steps).map(([name, step]) => ({
      ...{ name, state: step.state },
      ...(step.error === undefined ? {} : { error: step.error }),
    })),
  };
}

/** Those to watch or read, the recording itself first. */
async function filesOf(path: string): Promise<LocalRecording['files']> {
  const entries = await readdir(path, { withFileTypes: true });
  const media = (base: string) => new RegExp(`^${base}\\.(mp4|webm|m4a)$`);
  const rank = (name: string) =>
    [media(FILES.output), media(FILES.live), /\.(vtt|jpg)$/].findIndex((one) => one.test(name));
  const names = entries.filter((entry) => entry.isFile() && rank(entry.name) >= 0).map(({ name }) => name);
  names.sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  return await Promise.all(names.map(async (name) => ({ name, size: (await stat(join(path, name))).size })));
}

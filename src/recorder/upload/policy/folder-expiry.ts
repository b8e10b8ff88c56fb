/** What a bucket's lifecycle does by itself and a folder does not: recordings that are old enough go. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, folderFault } from '../../../objects/folder-path.ts';
import { isLocked } from '../../folder/index.ts';

const DAY_MS = 24 * 3600 * 1000;
/** A folder that has none of these is not a recording, and nothing of ours. */
const RECORDING = /^(recording\.(json|mp4|webm|m4a)|events\.jsonl|live\.(mp4|webm|m4a))$/;

export interface ExpiredRecording {
  /** The recording's folder, below the given one. */
  readonly name: string;
  /** Of its newest file, milliseconds since the epoch. */
  readonly changedAt: number;
  readonly bytes: number;
}

/**
 * The recordings directly below the folder in which nothing has changed for so many days.
 * @throws MeetError `not-found`, `no-permission`
 */
export async function findExpired(
  folder: string,
  days: number,
  now = Date.now(),
): Promise<ExpiredRecording[]> {
  try {
    const expired: ExpiredRecording[] = [];
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
      const path = join(folder, entry.name);
      if (!(await readdir(path)).some((name) => RECORDING.test(name))) continue;
      if (await isLocked(path)) continue;
      const { changedAt, bytes } = await measure(path);
      if (changedAt < now - days * DAY_MS) expired.push({ name: entry.name, changedAt, bytes });
    }
    return expired.sort((a, b) => a.changedAt - b.changedAt);
  } catch (error) {
    throw folderFault(error, folder);
  }
}

/** Removes one that {@link findExpired} found. @throws MeetError `no-permission` */
export async function removeExpired(folder: string, { name }: ExpiredRecording): Promise<void> {
  try {
    await rm(join(folder, name), { recursive: true, force: true });
  } catch (error) {
    throw folderFault(error, name);
  }
}

async function measure(folder: string): Promise<{ changedAt: number; bytes: number }> {
  let changedAt = 0;
  let bytes = 0;
  for (const name of await readdir(folder, { recursive: true })) {
    // Removed meanwhile by the recorder: then it is not old either.
    const stats = await stat(join(folder, name)).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    if (stats === undefined) return { changedAt: Number.POSITIVE_INFINITY, bytes };
    if (stats.isDirectory()) continue;
    changedAt = Math.max(changedAt, stats.mtimeMs);
    bytes += stats.size;
  }
  return { changedAt, bytes };
}

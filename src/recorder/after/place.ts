/** Finished files in their place: whole, and on the disk. */
import { mkdtemp, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { saveError } from '../../media/save/index.ts';

const WORK_PREFIX = '.work-';

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

/**
 * A new folder for files that are not finished. Those of runs that were killed are removed: an ffmpeg of theirs that has
 * not noticed yet goes on writing into a file that has no name any more.
 *
 * @throws MeetError `disk-full`, `no-permission`
 */
export async function makeWorkFolder(folder: string): Promise<string> {
  try {
    for (const name of await readdir(folder)) {
      if (name.startsWith(WORK_PREFIX)) await rm(join(folder, name), { recursive: true, force: true });
    }
    return await mkdtemp(join(folder, WORK_PREFIX));
  } catch (error) {
    throw saveError(folder, error);
  }
}

/** Gives a whole file its name, replacing what has it. @throws MeetError `disk-full`, `no-permission` */
export async function placeFile(from: string, to: string): Promise<void> {
  try {
    await syncPath(from);
    await rename(from, to);
    await syncPath(dirname(to));
  } catch (error) {
    throw saveError(to, error);
  }
}

/** Gives a folder its name. A crash in between leaves neither the old nor the new; its step is done again then. */
export async function placeFolder(from: string, to: string): Promise<void> {
  try {
    await rm(to, { recursive: true, force: true });
    await rename(from, to);
    await syncPath(dirname(to));
  } catch (error) {
    throw saveError(to, error);
  }
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } catch (error) {
    // Some file systems cannot do it for a folder.
    if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
  } finally {
    await file.close();
  }
}

import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { saveError } from '../../media/save/index.ts';

/**
 * Puts the data in the file's place in one step: whoever reads it, or loses power, has the old or the new one.
 *
 * @throws MeetError `disk-full`, `no-permission`; the old file is still there then
 */
export async function replaceFile(path: string, data: string): Promise<void> {
  const incoming = `${path}.${process.pid}.new`;
  try {
    const file = await open(incoming, 'w');
    try {
      await file.writeFile(data);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(incoming, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(incoming, { force: true }).catch(() => undefined);
    throw saveError(path, error);
  }
}

/** A new name outlives a loss of power once its folder is on the disk. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } catch (error) {
    // Some file systems cannot do it for a folder.
    if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
  } finally {
    await folder.close();
  }
}

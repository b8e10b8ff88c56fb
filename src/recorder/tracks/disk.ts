/** Whether a folder can be written to. */
import { open, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

/** Room that has to be there before writing begins again, so that it does not end again at once. */
const ENOUGH_BYTES = 8 * 1024 * 1024;
const PROBE_BYTES = 64 * 1024;

/** Bytes that this user may still write there; 0 where that cannot be told. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize;
}

/** Tries it out: a quota or a file system that has become read-only shows in no figure. */
export async function canWrite(folder: string): Promise<boolean> {
  if ((await freeBytes(folder)) < ENOUGH_BYTES) return false;
  const path = join(folder, '.probe');
  try {
    const file = await open(path, 'w');
    try {
      await file.writeFile(Buffer.alloc(PROBE_BYTES));
      await file.datasync();
    } finally {
      await file.close();
    }
    return true;
  } catch {
    return false;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

/** Bytes of all files in a folder and below it. */
export async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined);
    bytes += found?.size ?? 0;
  }
  return bytes;
}

/** Small files of the data folder that are made once and kept. */
import { randomBytes } from 'node:crypto';
import { link, open, readFile, unlink } from 'node:fs/promises';

/** The file's content, made by `create` when there is none. Of two servers that start at once, both get the same. */
export async function keptFile(file: string, create: () => Uint8Array): Promise<Buffer> {
  const existing = await readIfThere(file);
  if (existing !== undefined) return existing;
  // The name appears only once the content is on disk, so that nobody ever reads half of it.
  const temporary = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  const handle = await open(temporary, 'wx', 0o600);
  try {
    try {
      await handle.writeFile(create());
      await handle.sync();
    } finally {
      await handle.close();
    }
    await link(temporary, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await unlink(temporary);
  }
  return readFile(file);
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

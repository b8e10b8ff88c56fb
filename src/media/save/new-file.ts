/** A file that nobody else has. */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { saveError } from './save-error.ts';

const MAX_ATTEMPTS = 1_000;

/**
 * Creates a file in the folder, which is created where it does not exist, under the first name of
 * `nameOf(1)`, `nameOf(2)`, … that is free. Throws a MeetError: `disk-full`, `no-permission`, `bad-config`
 * for a path that cannot be a folder.
 */
export async function createNewFile(
  directory: string,
  nameOf: (attempt: number) => string,
): Promise<{ readonly path: string; readonly file: FileHandle }> {
  try {
    await mkdir(directory, { recursive: true });
  } catch (error) {
    throw saveError(directory, error);
  }
  for (let attempt = 1; ; attempt++) {
    const path = join(directory, nameOf(attempt));
    try {
      // Exclusive: never writes into a file or link that is there already.
      return { path, file: await open(path, 'wx') };
    } catch (error) {
      const taken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
      if (!taken || attempt === MAX_ATTEMPTS) throw saveError(path, error);
    }
  }
}

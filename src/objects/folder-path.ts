import { lstat, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { MeetError } from '../protocol/errors.ts';

/** Errors of the file system as sentences. */
export function folderFault(error: unknown, key: string): MeetError {
  if (error instanceof MeetError) return error;
  switch (codeOf(error)) {
    case 'ENOENT':
      return objectNotFound(key);
    case 'ENOSPC':
    case 'EDQUOT':
      return new MeetError('disk-full', 'There is no space left for stored objects.', {
        cause: error,
        hint: 'Free some space, or store objects elsewhere.',
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new MeetError('no-permission', 'The folder for stored objects may not be used.', {
        cause: error,
        hint: 'Give this user the right to read and write there, or choose another folder.',
      });
    case 'ENOTDIR':
    case 'EISDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return new MeetError(
        'bad-request',
        `The key ${key} is also the folder of other keys, or the reverse.`,
        {
          cause: error,
        },
      );
    default:
      return new MeetError('storage-failed', `The object ${key} could not be stored or read.`, {
        cause: error,
      });
  }
}

export const objectNotFound = (key: string) => new MeetError('not-found', `There is no object ${key}.`);

export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/**
 * The file of a key below the root. No part of the way there may be a symbolic link, so that nothing outside the
 * root can be read or overwritten through it. With `create`, missing folders are made and survive a power cut.
 */
export async function fileOf(root: string, key: string, create = false): Promise<string> {
  const segments = key.split('/');
  const name = segments.pop() ?? '';
  let folder = root;
  for (const segment of segments) {
    const parent = folder;
    folder = join(folder, segment);
    if (create) await makeFolder(folder, parent);
    const stat = await lstat(folder);
    if (stat.isSymbolicLink()) throw linked(key);
  }
  return join(folder, name);
}

export const linked = (key: string) =>
  new MeetError('no-permission', `A symbolic link lies on the way to the object ${key}.`, {
    hint: 'Replace the link by a folder or a mount.',
  });

async function makeFolder(folder: string, parent: string): Promise<void> {
  try {
    await mkdir(folder);
    await syncFolder(parent);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
}

/** Makes a new or renamed entry of the folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

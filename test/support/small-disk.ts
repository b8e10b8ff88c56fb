import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface SmallDisk {
  path: string;
  grow(bytes: number): Promise<void>;
  /** From now on nobody may write to it, not even root. */
  seal(): Promise<void>;
  remove(): Promise<void>;
}

/** A file system of so many bytes, to fill; or why none can be made here. */
export async function smallDisk(bytes: number): Promise<SmallDisk | string> {
  if (process.getuid?.() !== 0) return 'only root can mount a small file system';
  const path = await mkdtemp(join(tmpdir(), 'meet-disk-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path]);
  } catch {
    await rmdir(path);
    return 'no file system can be mounted here';
  }
  return {
    path,
    grow: async (size) => {
      await run('mount', ['-o', `remount,size=${size}`, path]);
    },
    seal: async () => {
      await run('mount', ['-o', 'remount,ro', path]);
    },
    remove: async () => {
      await run('umount', ['-l', path]);
      await rmdir(path);
    },
  };
}

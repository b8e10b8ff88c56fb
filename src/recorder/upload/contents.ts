/** Which files of a recording's folder become objects, and under which keys. */
import { createHash } from 'node:crypto';
import { readdir, stat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { assertObjectKey } from '../../objects/key.ts';
import { MeetError } from '../../protocol/errors.ts';

/** What others than the recorder itself have no use for; the state may hold tokens. */
const PRIVATE = /^(lock|recording\.json|upload\.json|recorder\.(ndjson|log))(\.|$)|\.(tmp|part|new)$/;
/** Folders of finished files. */
const FOLDERS: ReadonlySet<string> = new Set(['thumbnails', 'tracks']);
const LIVE = /^live\.(mp4|webm|m4a)$/;
const OUTPUT = /^recording\.(mp4|webm|m4a)$/;
/** Large, and made for nothing else than to be watched or rendered again. */
const MEDIA = /^(live|recording)\.(mp4|webm|m4a)$|^tracks\//;

export interface UploadedFile {
  /** Path in the folder, with `/`. */
  readonly file: string;
  readonly key: string;
  readonly size: number;
}

/**
 * Key of a file. The live file has the one of the finished file, which replaces it. A name that no key can have is made
 * one, and stays different from others.
 * @throws MeetError `bad-request` for a prefix that cannot be
 */
export function objectKey(prefix: string, file: string): string {
  const segments = file.replace(LIVE, 'recording.$1').split('/').map(keySegment);
  const key = posix.join(prefix, ...segments);
  assertObjectKey(key);
  return key;
}

function keySegment(name: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9._-]{0,149}$/.test(name)) return name;
  const [, stem = '', extension = ''] = /^(.*?)(\.[A-Za-z0-9]{1,5})?$/.exec(name) ?? [];
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${stem.replace(/[^A-Za-z0-9_-]+/g, '_').slice(0, 100)}_${hash}${extension}`.replace(/^-/, '_');
}

/** Whether `removeLocal` may remove the file once it is stored. */
export const isMedia = (file: string): boolean => MEDIA.test(file);

export const isTrack = (file: string): boolean => file.startsWith('tracks/');

/**
 * The files to upload: what is watched first, the tracks last. The live file is left out where the finished one is.
 * @throws MeetError `not-found`, `no-permission`
 */
export async function contentsOf(folder: string, prefix: string): Promise<UploadedFile[]> {
  const names: string[] = [];
  for (const entry of await entriesOf(folder)) {
    if (entry.name.startsWith('.') || PRIVATE.test(entry.name)) continue;
    if (entry.isFile()) names.push(entry.name);
    if (!entry.isDirectory() || !FOLDERS.has(entry.name)) continue;
    for (const inner of await entriesOf(join(folder, entry.name))) {
      if (inner.isFile() && !inner.name.startsWith('.')) names.push(`${entry.name}/${inner.name}`);
    }
  }
  const isFinished = names.some((name) => OUTPUT.test(name));
  const rank = (name: string) => (OUTPUT.test(name) || LIVE.test(name) ? 0 : isTrack(name) ? 2 : 1);
  const files: UploadedFile[] = [];
  for (const file of names) {
    if (isFinished && LIVE.test(file)) continue;
    const { size } = await stat(join(folder, file));
    files.push({ file, key: objectKey(prefix, file), size });
  }
  return files.sort((a, b) => rank(a.file) - rank(b.file) || a.file.localeCompare(b.file));
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new MeetError('not-found', `There is no recording in ${folder}.`, { cause });
    throw new MeetError('no-permission', `${folder} cannot be read.`, { cause });
  }
}

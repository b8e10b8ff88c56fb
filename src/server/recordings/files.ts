/** The files that a recording has for others. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contentTypeOf, isObjectKey, type StoredRecordingFile } from '../store/index.ts';

/** What the recorder keeps for itself: its state, its journals, what it says. */
const INTERNAL = /^(recording\.json|upload\.json|events\.jsonl|recorder\.(ndjson|log)|lock)$|\.(tmp|part)$/;
/** The file as it was written while recording; of no use beside the finished one. */
const LIVE = /^live\.(mp4|webm|m4a)$/;
const MAIN = /^recording\.(mp4|webm|m4a)$/;
/** In the object store recordings are below this. */
export const OBJECTS_PREFIX = 'recordings/';
/** Folders with files for others. */
const FOLDERS = ['thumbnails'];

/**
 * Those in the recording's folder, the recording itself first.
 *
 * @param dir the folder of all recordings
 */
export async function filesInFolder(dir: string, id: string): Promise<StoredRecordingFile[]> {
  const names = await namesIn(join(dir, id));
  for (const folder of FOLDERS) {
    for (const name of await namesIn(join(dir, id, folder))) names.push(`${folder}/${name}`);
  }
  const finished = names.some((name) => MAIN.test(name));
  const wanted = names.filter((name) => !INTERNAL.test(name) && !(finished && LIVE.test(name)));
  const files = await Promise.all(wanted.map((name) => fileIn(dir, `${id}/${name}`, name)));
  return files
    .filter((file) => file !== undefined)
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

const rank = ({ name }: StoredRecordingFile): number => (MAIN.test(name) ? 0 : LIVE.test(name) ? 1 : 2);

async function namesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

async function fileIn(dir: string, key: string, name: string): Promise<StoredRecordingFile | undefined> {
  if (!isObjectKey(key)) return undefined;
  const stats = await stat(join(dir, key)).catch(() => undefined);
  return stats && { name, place: 'folder', key, size: stats.size, contentType: contentTypeOf(name) };
}

/** The key of an uploaded object in the server's own store, `undefined` where it is elsewhere. */
export function objectKeyOf(location: string, objectsUrl: string | undefined): string | undefined {
  if (objectsUrl === undefined || !objectsUrl.startsWith('s3://')) return undefined;
  const { host, pathname } = new URL(objectsUrl);
  const prefix = pathname.replace(/^\/+|\/+$/g, '');
  const start = `s3://${host}/${prefix === '' ? '' : `${prefix}/`}`;
  const key = location.startsWith(start) ? location.slice(start.length) : '';
  return isObjectKey(key) ? key : undefined;
}

/** Where in the server's S3 the recorder puts what it records; `undefined` where the server has none. */
export function uploadUrl(objectsUrl: string | undefined): string | undefined {
  if (objectsUrl === undefined || !objectsUrl.startsWith('s3://')) return undefined;
  const url = new URL(objectsUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${OBJECTS_PREFIX.slice(0, -1)}`;
  return url.href;
}

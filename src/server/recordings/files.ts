/** The files that a recording has for others. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { contentTypeOf, isObjectKey, type ObjectStore, type StoredRecordingFile } from '../store/index.ts';

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
  const files = await Promise.all(names.map((name) => fileIn(dir, `${id}/${name}`, name)));
  return forOthers(files.filter((file) => file !== undefined));
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

/** Those that were uploaded to the server's object store, the recording itself first. */
export async function filesInStore(objects: ObjectStore, id: string): Promise<StoredRecordingFile[]> {
  const start = `${OBJECTS_PREFIX}${id}/`;
  const files: StoredRecordingFile[] = [];
  for await (const { key, size } of objects.list(start)) {
    const name = key.slice(start.length);
    const folder = name.includes('/') ? name.slice(0, name.indexOf('/')) : undefined;
    if (folder === undefined || FOLDERS.includes(folder))
      files.push({ name, place: 'objects', key, size, contentType: contentTypeOf(name) });
  }
  return forOthers(files);
}

/** Each file once: as it was uploaded, where it was. */
export function allFiles(
  uploaded: readonly StoredRecordingFile[],
  local: readonly StoredRecordingFile[],
): StoredRecordingFile[] {
  const names = new Set(uploaded.map(({ name }) => name));
  return forOthers([...uploaded, ...local.filter(({ name }) => !names.has(name))]);
}

/** Without what the recorder keeps for itself; the recording first. */
function forOthers(files: readonly StoredRecordingFile[]): StoredRecordingFile[] {
  const finished = files.some(({ name }) => MAIN.test(name));
  return files
    .filter(({ name }) => !INTERNAL.test(name) && !(finished && LIVE.test(name)))
    .sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
}

/** Where in the server's S3 the recorder puts what it records; `undefined` where the server has none. */
export function uploadUrl(objectsUrl: string | undefined): string | undefined {
  if (objectsUrl === undefined || !objectsUrl.startsWith('s3://')) return undefined;
  const url = new URL(objectsUrl);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/${OBJECTS_PREFIX.slice(0, -1)}`;
  return url.href;
}

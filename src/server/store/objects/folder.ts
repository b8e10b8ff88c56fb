/**
 * Objects in a folder: the key is the file's path, so that a recording can be opened with any player. Two entries
 * whose names no key can have are the store's own: `.incoming` for files that are being written, and `.types` for
 * media types that the extension does not tell.
 */
import { randomUUID } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import {
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import {
  codeOf,
  fileOf,
  folderFault,
  linked,
  objectNotFound,
  syncFolder,
} from '../../../objects/folder-path.ts';
import { assertObjectKey, contentTypeOf, isObjectKey } from '../../../objects/key.ts';
import { MeetError } from '../../../protocol/errors.ts';
import { chunksOf, discard } from './body.ts';
import { cutRange } from './range.ts';
import { signGet } from './signed-url.ts';
import type {
  ByteRange,
  ObjectInfo,
  ObjectStore,
  OpenedObject,
  PresignOptions,
  PutOptions,
} from './types.ts';

const INCOMING = '.incoming';
const TYPES = '.types';
/** What a killed process left behind; another process may still be writing anything younger. */
const STALE_INCOMING_MS = 24 * 3600 * 1000;

export interface FolderOptions {
  /** Key of the signatures of `presignGet`; at least 16 characters. */
  secret: string;
  /** Milliseconds since the epoch; `Date.now` unless given. */
  now?: () => number;
}

export class FolderObjectStore implements ObjectStore {
  readonly kind = 'folder';
  readonly #root: string;
  readonly #secret: string;
  readonly #now: () => number;

  private constructor(root: string, options: FolderOptions) {
    this.#root = root;
    this.#secret = options.secret;
    this.#now = options.now ?? Date.now;
  }

  /** Makes the folder when it is not there. @throws MeetError `no-permission`, `disk-full`, `bad-config` */
  static async open(path: string, options: FolderOptions): Promise<FolderObjectStore> {
    if (options.secret.length < 16) {
      throw new MeetError('bad-config', 'The secret that signs links has fewer than 16 characters.');
    }
    try {
      const incoming = join(path, INCOMING);
      await mkdir(incoming, { recursive: true });
      const root = await realpath(path);
      // Shows now, and not in the middle of a meeting, that nothing can be written.
      const probe = join(incoming, randomUUID());
      await (await open(probe, 'wx')).close();
      await rm(probe);
      await removeStale(incoming);
      return new FolderObjectStore(root, options);
    } catch (error) {
      throw folderFault(error, path);
    }
  }

  async put(key: string, body: Readable | Uint8Array, options: PutOptions = {}): Promise<ObjectInfo> {
    const contentType = options.contentType ?? contentTypeOf(key);
    try {
      assertObjectKey(key);
      const incoming = await this.#write(body, options);
      try {
        await this.#writeType(key, contentType);
        const file = await this.#move(incoming, key);
        return infoOf(key, await lstat(file), contentType);
      } catch (error) {
        await rm(incoming, { force: true });
        throw error;
      }
    } catch (error) {
      discard(body);
      throw options.signal?.aborted ? error : folderFault(error, key);
    }
  }

  async get(key: string, range?: ByteRange): Promise<OpenedObject> {
    assertObjectKey(key);
    let handle: FileHandle | undefined;
    try {
      handle = await open(await fileOf(this.#root, key), constants.O_RDONLY | constants.O_NOFOLLOW);
      const stats = await handle.stat();
      if (!stats.isFile()) throw objectNotFound(key);
      const info = infoOf(key, stats, await this.#typeOf(key));
      const cut = cutRange(range, info.size);
      // The stream would take an end before its start for "to the end of the file".
      const body = handle.createReadStream(info.size === 0 ? { start: 0, end: 0 } : cut);
      return { info, range: cut, body };
    } catch (error) {
      await handle?.close();
      if (codeOf(error) === 'ELOOP') throw linked(key);
      if (codeOf(error) === 'ENOTDIR') throw objectNotFound(key);
      throw folderFault(error, key);
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    assertObjectKey(key);
    try {
      const stats = await lstat(await fileOf(this.#root, key));
      if (stats.isSymbolicLink()) throw linked(key);
      return stats.isFile() ? infoOf(key, stats, await this.#typeOf(key)) : undefined;
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw folderFault(error, key);
    }
  }

  async delete(key: string): Promise<void> {
    if (!(await this.head(key))) return;
    try {
      const file = await fileOf(this.#root, key);
      await rm(file, { force: true });
      await syncFolder(dirname(file));
      await this.#writeType(key, contentTypeOf(key));
    } catch (error) {
      throw folderFault(error, key);
    }
  }

  async *list(prefix = ''): AsyncIterable<ObjectInfo> {
    yield* this.#walk('', prefix);
  }

  /** A path and query, as {@link ObjectLinks} signs and takes them. */
  async presignGet(key: string, options: PresignOptions): Promise<string> {
    return signGet(this.#secret, key, options, this.#now());
  }

  close(): void {}

  /** Writes and syncs a file that no key leads to, and answers its path. */
  async #write(body: Readable | Uint8Array, options: PutOptions): Promise<string> {
    const path = join(this.#root, INCOMING, randomUUID());
    const handle = await open(path, 'wx', 0o640);
    try {
      for await (const chunk of chunksOf(body, options)) await writeAll(handle, chunk);
      await handle.sync();
      await handle.close();
      return path;
    } catch (error) {
      await handle.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  async #move(from: string, key: string): Promise<string> {
    const file = await fileOf(this.#root, key, true);
    const there = await lstat(file).catch(() => undefined);
    if (there?.isSymbolicLink()) throw linked(key);
    await rename(from, file);
    await syncFolder(dirname(file));
    return file;
  }

  /** Remembers a media type that the extension does not tell, and forgets it where it does. */
  async #writeType(key: string, contentType: string): Promise<void> {
    const types = join(this.#root, TYPES);
    if (contentType === contentTypeOf(key)) {
      const file = await fileOf(types, key).catch(() => undefined);
      if (file) await rm(file, { force: true });
      return;
    }
    await mkdir(types, { recursive: true });
    const incoming = await this.#write(Buffer.from(contentType), {});
    await rename(incoming, await fileOf(types, key, true));
  }

  async #typeOf(key: string): Promise<string> {
    try {
      return await readFile(await fileOf(join(this.#root, TYPES), key), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return contentTypeOf(key);
      throw error;
    }
  }

  async *#walk(below: string, prefix: string): AsyncIterable<ObjectInfo> {
    const entries = await readdir(join(this.#root, below), { withFileTypes: true }).catch((error) => {
      if (codeOf(error) === 'ENOENT') return [];
      throw folderFault(error, below);
    });
    for (const entry of entries) {
      const key = below + entry.name;
      if (!isObjectKey(key)) continue;
      if (entry.isDirectory()) {
        const folder = `${key}/`;
        if (folder.startsWith(prefix) || prefix.startsWith(folder)) yield* this.#walk(folder, prefix);
      } else if (entry.isFile() && key.startsWith(prefix)) {
        const info = await this.head(key);
        if (info) yield info;
      }
    }
  }
}

function infoOf(key: string, stats: Stats, contentType: string): ObjectInfo {
  return {
    key,
    size: stats.size,
    contentType,
    etag: `${stats.ino.toString(36)}-${stats.size.toString(36)}-${Math.round(stats.mtimeMs).toString(36)}`,
    lastModified: Math.round(stats.mtimeMs),
  };
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let offset = 0; offset < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, offset);
    offset += bytesWritten;
  }
}

async function removeStale(incoming: string): Promise<void> {
  const before = Date.now() - STALE_INCOMING_MS;
  for (const name of await readdir(incoming)) {
    const path = join(incoming, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats && stats.mtimeMs < before) await rm(path, { force: true });
  }
}

/**
 * Recordings in a folder, laid out as the server's store of objects has it: the key is the file's path, and
 * `.incoming` has files that are still being written.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { codeOf, fileOf, folderFault, syncFolder } from '../../objects/folder-path.ts';
import { assertObjectKey } from '../../objects/key.ts';
import { MeetError } from '../../protocol/errors.ts';
import { isSameContent } from './read-back.ts';
import type {
  Digests,
  Expected,
  ObjectTraits,
  Part,
  StoredPart,
  UploadReference,
  UploadTarget,
  Verification,
} from './types.ts';

const INCOMING = '.incoming';

export class FolderTarget implements UploadTarget {
  readonly location: string;
  readonly traits: ObjectTraits = {};
  readonly #root: string;

  private constructor(root: string) {
    this.location = root;
    this.#root = root;
  }

  /** Makes the folder when it is not there. @throws MeetError `no-permission`, `disk-full` */
  static async open(root: string): Promise<FolderTarget> {
    try {
      await mkdir(join(root, INCOMING), { recursive: true });
      return new FolderTarget(root);
    } catch (error) {
      throw folderFault(error, root);
    }
  }

  urlOf(key: string): string {
    return join(this.#root, key);
  }

  async begin(key: string): Promise<UploadReference> {
    assertObjectKey(key);
    const uploadId = randomUUID();
    await this.#writing(key, uploadId, 'wx', async () => {});
    return { key, uploadId, checksums: false };
  }

  async putPart({ key, uploadId }: UploadReference, part: Part, bytes: Buffer): Promise<string> {
    await this.#writing(key, uploadId, 'r+', (file) => writeAt(file, bytes, part.offset));
    return part.md5;
  }

  async listParts({ key, uploadId }: UploadReference): Promise<'gone' | 'unlisted'> {
    try {
      await stat(this.#incoming(uploadId));
      return 'unlisted';
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'gone';
      throw folderFault(error, key);
    }
  }

  async complete({ key, uploadId }: UploadReference, parts: readonly StoredPart[]): Promise<Verification> {
    const size = parts.reduce((sum, part) => sum + part.size, 0);
    const path = this.#incoming(uploadId);
    await this.#writing(key, uploadId, 'r+', (file) => file.truncate(size));
    if (!(await isSameContent(createReadStream(path), parts))) throw damaged(key);
    return await this.#publish(path, key, size, 'content');
  }

  async abort({ key, uploadId }: UploadReference): Promise<void> {
    await rm(this.#incoming(uploadId), { force: true }).catch((error: unknown) => {
      throw folderFault(error, key);
    });
  }

  async put(key: string, bytes: Buffer, digests: Digests): Promise<Verification> {
    const upload = await this.begin(key);
    const part = { number: 1, offset: 0, size: bytes.length, ...digests };
    try {
      const etag = await this.putPart(upload, part, bytes);
      return await this.complete(upload, [{ ...part, etag }]);
    } catch (error) {
      await this.abort(upload);
      throw error;
    }
  }

  async verify(key: string, { size, parts }: Expected): Promise<Verification | undefined> {
    try {
      const file = await fileOf(this.#root, key);
      const stats = await stat(file);
      if (stats.size !== size || !(await isSameContent(createReadStream(file), parts))) throw damaged(key);
      return { by: 'content', size, etag: '' };
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw folderFault(error, key);
    }
  }

  async sharesDisk(path: string): Promise<boolean> {
    const [here, there] = await Promise.all([stat(path), stat(this.#root)]);
    return here.dev === there.dev;
  }

  /** A second name for the same bytes: it costs neither time nor space, and outlives the first. */
  async link(path: string, key: string): Promise<Verification | undefined> {
    assertObjectKey(key);
    const incoming = this.#incoming(randomUUID());
    try {
      await link(path, incoming);
    } catch (error) {
      // Another disk, or a file system without links.
      if (/^(EXDEV|EPERM|ENOTSUP|ENOSYS|EMLINK)$/.test(codeOf(error) ?? '')) return undefined;
      throw folderFault(error, key);
    }
    return await this.#publish(incoming, key, (await stat(incoming)).size, 'link');
  }

  close(): void {}

  #incoming(uploadId: string): string {
    return join(this.#root, INCOMING, uploadId);
  }

  async #writing(
    key: string,
    uploadId: string,
    flags: string,
    task: (file: FileHandle) => Promise<void>,
  ): Promise<void> {
    try {
      const file = await open(this.#incoming(uploadId), flags, 0o640);
      try {
        await task(file);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw folderFault(error, key);
    }
  }

  async #publish(path: string, key: string, size: number, by: Verification['by']): Promise<Verification> {
    try {
      const file = await fileOf(this.#root, key, true);
      await rename(path, file);
      // Two names of one file are left as they are by a rename.
      await rm(path, { force: true });
      await syncFolder(dirname(file));
      return { by, size, etag: '' };
    } catch (error) {
      throw folderFault(error, key);
    }
  }
}

async function writeAt(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}

const damaged = (key: string) =>
  new MeetError('object-damaged', `The content of ${key} is not what was uploaded.`);

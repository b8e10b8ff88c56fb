import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';

/** A file of frames, one run after another; it is written once and read at any place. */
export class RunFile {
  readonly path: string;
  readonly #handle: FileHandle;
  #size: number;
  #queue: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(path: string, handle: FileHandle, size: number) {
    this.path = path;
    this.#handle = handle;
    this.#size = size;
  }

  static async create(path: string): Promise<RunFile> {
    return new RunFile(path, await open(path, 'wx+'), 0);
  }

  static async open(path: string): Promise<RunFile> {
    const handle = await open(path, 'r');
    return new RunFile(path, handle, (await handle.stat()).size);
  }

  /** Bytes that are in the file. */
  get size(): number {
    return this.#size;
  }

  /**
   * Writes frames after everything before them and gives their offset.
   *
   * @throws MeetError `disk-full`
   */
  append(frames: readonly Buffer[]): Promise<number> {
    const write = this.#queue.then(async () => {
      const offset = this.#size;
      const data = Buffer.concat(frames);
      for (let written = 0; written < data.length; ) {
        written += (await this.#handle.write(data, written, data.length - written, offset + written))
          .bytesWritten;
      }
      this.#size = offset + data.length;
      return offset;
    });
    this.#queue = write.then(
      () => {},
      () => {},
    );
    return write.catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOSPC' && error.code !== 'EDQUOT') throw error;
      throw new MeetError(
        'disk-full',
        `There is no space left for encoded media in ${dirname(dirname(this.path))}.`,
        {
          cause: error,
          hint: 'Free some space, or choose another cache folder.',
        },
      );
    });
  }

  async read(offset: number, sizes: readonly number[]): Promise<Buffer[]> {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const data = Buffer.allocUnsafeSlow(total);
    for (let filled = 0; filled < total; ) {
      const { bytesRead } = await this.#handle.read(data, filled, total - filled, offset + filled);
      if (bytesRead === 0) throw new Error(`${this.path} is shorter than its index says`);
      filled += bytesRead;
    }
    let at = 0;
    return sizes.map((size) => {
      at += size;
      return data.subarray(at - size, at);
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#queue;
    await this.#handle.close();
  }
}

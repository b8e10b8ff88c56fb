/** Where uploads lie until it is known that they may be kept. */
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { MeetError } from '../../protocol/errors.ts';

/** An upload in which nothing moves for this long is given up. */
const STALL_TIMEOUT_MS = 60_000;

/** An upload on this machine's disk. */
export class SpooledFile {
  readonly path: string;
  readonly size: number;

  constructor(path: string, size: number) {
    this.path = path;
    this.size = size;
  }

  read(): Readable {
    return createReadStream(this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

export class Spool {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder. */
  static async open(folder: string): Promise<Spool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new Spool(folder);
  }

  /** Empties it of what a server that was killed left there. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.#folder)) await rm(join(this.#folder, name), { force: true });
  }

  /**
   * Writes a stream to a file. Nothing is left of one that ends early, stalls, or is too long.
   *
   * @throws MeetError `too-large`, `disk-full`, `bad-request` for an upload that was cut
   */
  async take(stream: Readable, maxSize: number): Promise<SpooledFile> {
    const path = join(this.#folder, randomUUID());
    const stalled = setTimeout(
      () => stream.destroy(new MeetError('bad-request', 'The upload has stopped.')),
      STALL_TIMEOUT_MS,
    );
    const file = await open(path, 'wx', 0o600);
    let size = 0;
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        stalled.refresh();
        size += chunk.length;
        if (size > maxSize) throw tooLarge(maxSize);
        await file.writeFile(chunk);
      }
      await file.close();
      return new SpooledFile(path, size);
    } catch (error) {
      await file.close();
      await rm(path, { force: true });
      throw spoolFault(error);
    } finally {
      clearTimeout(stalled);
    }
  }
}

export function tooLarge(maxSize: number): MeetError {
  return new MeetError('too-large', `A file can have ${maxSize} bytes here.`);
}

function spoolFault(error: unknown): unknown {
  if (error instanceof MeetError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new MeetError('disk-full', 'There is no space left for the upload.', { cause: error });
  }
  if (code.startsWith('E') && code !== 'ECONNRESET' && !code.startsWith('ERR_')) return error;
  return new MeetError('bad-request', 'The upload was cut before its end.', { cause: error });
}

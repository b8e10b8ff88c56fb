/** Where an upload's bytes come from: a file, or a stream that a file may follow. */
import { type FileHandle, open } from 'node:fs/promises';
import { MeetError } from '../../protocol/errors.ts';
import { DigestsBuilder } from './digests.ts';
import type { Digests, PartSource } from './types.ts';

/** Read and hashed in one go: under 2 ms, so that a recorder's pictures do not wait for it. */
const READ_BYTES = 256 * 1024;

/** A file on the disk that has the stream's first `written()` bytes, and no others. */
export interface LocalCopy {
  readonly path: string;
  written(): number;
}

/** Reads a whole file by parts. */
export class FileSource implements PartSource {
  readonly fromBeginning = true;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async read(offset: number, size: number, room?: Buffer): Promise<{ bytes: Buffer; digests: Digests }> {
    const bytes = roomFor(size, room);
    const digests = new DigestsBuilder();
    await readInto(this.#path, bytes, offset, digests);
    return { bytes, digests: digests.end() };
  }

  release(): void {}
}

/**
 * A stream that is still being written. Its bytes are held in memory until the local copy has them, or, without one
 * (a full disk), until they are uploaded.
 */
export class StreamSource implements PartSource {
  readonly #local: LocalCopy | undefined;
  /** What the local copy does not have, in order and without gaps; never less than from `#heldFrom` on. */
  #chunks: Buffer[] = [];
  #heldFrom: number;
  #size: number;
  #uploaded = 0;

  /** @param start bytes of the stream that are in the local copy already */
  constructor(local: LocalCopy | undefined, start = 0) {
    this.#local = local;
    this.#heldFrom = start;
    this.#size = start;
  }

  get size(): number {
    return this.#size;
  }

  /** Bytes in memory. */
  get heldBytes(): number {
    return this.#size - this.#heldFrom;
  }

  get fromBeginning(): boolean {
    return this.#written >= this.#heldFrom;
  }

  /** The bytes must not be changed afterwards. */
  push(bytes: Buffer): void {
    this.#chunks.push(bytes);
    this.#size += bytes.length;
    this.settle();
  }

  /** Lets go of what is in the local copy by now, or uploaded. */
  settle(): void {
    const below = Math.max(this.#written, this.#uploaded);
    let dropped = 0;
    for (const { length } of this.#chunks) {
      if (this.#heldFrom + length > below) break;
      this.#heldFrom += length;
      dropped += 1;
    }
    if (dropped > 0) this.#chunks = this.#chunks.slice(dropped);
  }

  release(below: number): void {
    this.#uploaded = Math.max(this.#uploaded, below);
    this.settle();
  }

  async read(offset: number, size: number, room?: Buffer): Promise<{ bytes: Buffer; digests: Digests }> {
    // The chunks as they are now: what is let go of while the file is read has to stay readable.
    const chunks = this.#chunks;
    const heldFrom = this.#heldFrom;
    const bytes = roomFor(size, room);
    const digests = new DigestsBuilder();
    const fromFile = Math.min(Math.max(heldFrom - offset, 0), size);
    if (fromFile > 0) {
      if (this.#local === undefined || offset + fromFile > this.#written) throw missing(offset);
      await readInto(this.#local.path, bytes.subarray(0, fromFile), offset, digests);
    }
    let at = heldFrom;
    for (const chunk of chunks) {
      const start = Math.max(0, offset - at);
      const end = Math.min(chunk.length, offset + size - at);
      if (end > start) chunk.copy(bytes, at + start - offset, start, end);
      at += chunk.length;
    }
    if (offset + size > at) throw missing(at);
    for (let from = fromFile; from < size; from += READ_BYTES) {
      digests.update(bytes.subarray(from, Math.min(size, from + READ_BYTES)));
      await new Promise(setImmediate);
    }
    return { bytes, digests: digests.end() };
  }

  get #written(): number {
    return Math.min(this.#local?.written() ?? 0, this.#size);
  }
}

const roomFor = (size: number, room: Buffer | undefined): Buffer =>
  room !== undefined && room.length >= size ? room.subarray(0, size) : Buffer.allocUnsafe(size);

const missing = (offset: number) =>
  new MeetError('media-unusable', `The recording has no byte ${offset} any more.`);

async function readInto(path: string, bytes: Buffer, offset: number, digests: DigestsBuilder): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    for (let done = 0; done < bytes.length; ) {
      const length = Math.min(READ_BYTES, bytes.length - done);
      const { bytesRead } = await handle.read(bytes, done, length, offset + done);
      if (bytesRead === 0) throw new MeetError('media-unusable', `${path} is shorter than it was.`);
      digests.update(bytes.subarray(done, done + bytesRead));
      done += bytesRead;
    }
  } catch (cause) {
    if (cause instanceof MeetError) throw cause;
    throw new MeetError('media-unusable', `${path} cannot be read.`, { cause });
  } finally {
    await handle?.close();
  }
}

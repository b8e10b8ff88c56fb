import { EventEmitter } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { saveError } from '../../media/save/index.ts';
import type { MeetError } from '../../protocol/errors.ts';
import { type RecoveredFile, recoverFile } from './recover-file.ts';
import type { Fragment, Sink } from './types.ts';

/** What a disk may be behind by before fragments are left out: a minute at 4 Mbit/s. */
const MAX_WAITING_BYTES = 32 * 1024 * 1024;

interface LiveFileEvents {
  /** Fragments are left out from here on; told once, until one can be written again. */
  gap: [event: { readonly fromMs: number; readonly error: MeetError }];
  /** Fragments are written again. */
  mended: [event: { readonly fromMs: number; readonly toMs: number }];
}

/**
 * The file that a recording grows in. After each fragment it is on the disk, and what a fault leaves of a fragment is cut
 * off again, so that whatever happens it can be played up to the last whole one.
 */
export class LiveFile extends EventEmitter<LiveFileEvents> implements Sink {
  readonly path: string;
  /** What the file had when it was opened; `undefined` for a new one. */
  readonly recovered: RecoveredFile | undefined;
  readonly #file: FileHandle;
  /** What stands before the first fragment, and is written with it. */
  #init: Buffer = Buffer.alloc(0);
  #waiting: Fragment[] = [];
  #waitingBytes = 0;
  /** End of the last whole fragment. */
  #end: number;
  /** Bytes from the beginning that are those of the stream. */
  #same: number;
  #gapFromMs: number | undefined;
  #everGap = false;
  #work: Promise<void> | undefined;
  #closed = false;

  private constructor(path: string, file: FileHandle, recovered: RecoveredFile | undefined) {
    super();
    this.path = path;
    this.recovered = recovered;
    this.#file = file;
    this.#end = recovered?.bytes ?? 0;
    this.#same = this.#end;
  }

  /**
   * Opens a file to write, new or one that a recorder left behind; what is not whole at its end is cut off.
   *
   * @throws MeetError `disk-full`, `no-permission`, `bad-config`
   */
  static async open(path: string): Promise<LiveFile> {
    let file: FileHandle | undefined;
    try {
      // Made where it does not exist; then opened so that it can be written anywhere.
      await (await open(path, 'a')).close();
      const opened = await open(path, 'r+');
      file = opened;
      const recovered = await recoverFile(opened);
      await opened.truncate(recovered?.bytes ?? 0);
      return new LiveFile(path, opened, recovered);
    } catch (error) {
      await file?.close();
      throw saveError(path, error);
    }
  }

  /** Bytes of the file from its beginning that are the stream's: less than its length after a gap. */
  written(): number {
    return this.#same;
  }

  init(bytes: Buffer): void {
    this.#init = bytes;
  }

  fragment(fragment: Fragment): void {
    if (this.#closed) return;
    const { length } = fragment.bytes;
    if (this.#waitingBytes + length > MAX_WAITING_BYTES) {
      this.#leaveOut(fragment, new Error('the disk is too slow'));
      return;
    }
    this.#waiting.push(fragment);
    this.#waitingBytes += length;
    this.#work ??= this.#write().finally(() => {
      this.#work = undefined;
    });
  }

  /** Settles when what came is written, or cannot be. May be called twice. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#work;
    await this.#file.close();
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      // What gathered while the disk was busy goes in one write; what is too much together may fit in part.
      const batch = this.#waiting;
      this.#waiting = [];
      const failure = await this.#append(batch);
      for (const fragment of failure === undefined ? [] : batch) {
        const error = batch.length === 1 ? failure : await this.#append([fragment]);
        if (error !== undefined) this.#leaveOut(fragment, error);
      }
      for (const { bytes } of batch) this.#waitingBytes -= bytes.length;
    }
  }

  /** Writes fragments and waits until they are on the disk, or cuts them off again and answers why. */
  async #append(fragments: readonly Fragment[]): Promise<unknown> {
    const parts = fragments.map(({ bytes }) => bytes);
    const bytes = Buffer.concat(this.#end === 0 ? [this.#init, ...parts] : parts);
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#file.write(bytes, done, bytes.length - done, this.#end + done)).bytesWritten;
      }
      await this.#file.datasync();
    } catch (error) {
      await this.#file.truncate(this.#end).catch(() => {});
      return error ?? new Error('the write failed');
    }
    this.#end += bytes.length;
    if (!this.#everGap) this.#same = this.#end;
    if (this.#gapFromMs !== undefined) {
      this.emit('mended', { fromMs: this.#gapFromMs, toMs: fragments[0]!.decodeTimeMs });
      this.#gapFromMs = undefined;
    }
    return undefined;
  }

  #leaveOut(fragment: Fragment, cause: unknown): void {
    this.#everGap = true;
    if (this.#gapFromMs !== undefined) return;
    this.#gapFromMs = fragment.decodeTimeMs;
    this.emit('gap', { fromMs: fragment.decodeTimeMs, error: saveError(this.path, cause) });
  }
}

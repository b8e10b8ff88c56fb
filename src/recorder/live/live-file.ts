/** The live file in the recording's folder: fragment by fragment, playable up to the last one at any time. */
import { EventEmitter } from 'node:events';
import { type FileHandle, open } from 'node:fs/promises';
import { saveError } from '../../media/save/index.ts';
import type { MeetError } from '../../protocol/errors.ts';
import type { Fragment, Sink } from '../encode/index.ts';

/** What a full disk keeps waiting in memory: three minutes at 2.5 Mbit/s. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const RETRY_INTERVAL_MS = 1_000;

interface LiveFileEvents {
  /** Nothing can be written for now; told once until `ok`. What is in the file plays. */
  full: [error: MeetError];
  ok: [];
  /** What waited was too much, and these fragments are missing in the file. */
  lost: [fragments: number];
}

/** A sink of the encoder. What cannot be written waits; each fragment is on the disk before the next one comes. */
export class LiveFile extends EventEmitter<LiveFileEvents> implements Sink {
  readonly path: string;
  readonly #file: FileHandle;
  #position: number;
  /** Bytes from the beginning of the stream without a gap. */
  #whole: number;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #gap = false;
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #full = false;
  #closed: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, bytes: number) {
    super();
    this.path = path;
    this.#file = file;
    this.#position = bytes;
    this.#whole = bytes;
  }

  /**
   * Makes the file, or opens it to go on behind its first `bytes`; what is behind them is cut off.
   *
   * @throws MeetError `disk-full`, `no-permission`
   */
  static async open(path: string, bytes = 0): Promise<LiveFile> {
    try {
      const file = await open(path, bytes === 0 ? 'w' : 'r+');
      await file.truncate(bytes);
      return new LiveFile(path, file, bytes);
    } catch (error) {
      throw saveError(path, error);
    }
  }

  /** Bytes of the stream that the file has, from its beginning on. */
  written(): number {
    return this.#whole;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#position;
  }

  init(bytes: Buffer): void {
    // A recording that goes on has it.
    if (this.#position === 0) this.#push(bytes);
  }

  fragment({ bytes }: Fragment): void {
    this.#push(bytes);
  }

  /** Resolves when all that there is room for is on the disk. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  #push(bytes: Buffer): void {
    if (this.#closed !== undefined) return;
    if (this.#waitingBytes + bytes.length > MAX_WAITING_BYTES) {
      this.#gap = true;
      this.emit('lost', this.#waiting.length);
      this.#waiting = [];
      this.#waitingBytes = 0;
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (!this.#full) this.#write();
  }

  #write(): void {
    this.#writing ??= this.#append().finally(() => {
      this.#writing = undefined;
    });
  }

  async #append(): Promise<void> {
    while (this.#waiting.length > 0) {
      const data = this.#waiting[0]!;
      try {
        for (let written = 0; written < data.length; ) {
          const rest = data.length - written;
          written += (await this.#file.write(data, written, rest, this.#position + written)).bytesWritten;
        }
        await this.#file.datasync();
      } catch (error) {
        await this.#stall(error);
        return;
      }
      // Unless there was no room for it any more while it was written.
      if (this.#waiting[0] === data) {
        this.#waiting.shift();
        this.#waitingBytes -= data.length;
      }
      this.#position += data.length;
      if (!this.#gap) this.#whole = this.#position;
      if (this.#full) this.#mended();
    }
  }

  /** Half a fragment would not play. */
  async #stall(error: unknown): Promise<void> {
    await this.#file.truncate(this.#position).catch(() => undefined);
    if (this.#full || this.#closed !== undefined) return;
    this.#full = true;
    this.emit('full', saveError(this.path, error));
    this.#retry = setInterval(() => this.#write(), RETRY_INTERVAL_MS);
  }

  #mended(): void {
    this.#full = false;
    clearInterval(this.#retry);
    this.emit('ok');
  }

  async #close(): Promise<void> {
    clearInterval(this.#retry);
    await this.#writing;
    this.#write();
    await this.#writing;
    await this.#file.close();
  }
}

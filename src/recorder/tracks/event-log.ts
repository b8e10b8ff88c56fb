/** `events.jsonl`: what happened in the meeting, one JSON object a line. */
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Value } from 'typebox/value';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import { RecordingEvent } from '../types.ts';

/** Lines wait at most this long for their write, so that a killed process loses no more. */
const FLUSH_INTERVAL_MS = 250;
/** What a full disk keeps waiting; the oldest anchors go first, then whatever is oldest. */
const MAX_WAITING = 100_000;
const NEWLINE = 0x0a;

/**
 * Appends events. What cannot be written (a full disk) waits for the next attempt, so nothing that happened in
 * between is missing once there is room again.
 */
export class EventLog {
  readonly path: string;
  readonly #file: FileHandle;
  /** Where the next line begins: behind what is known to be whole. */
  #position: number;
  #synced: number;
  #waiting: RecordingEvent[] = [];
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #error: MeetError | undefined;
  #closed: Promise<void> | undefined;

  private constructor(path: string, file: FileHandle, position: number) {
    this.path = path;
    this.#file = file;
    this.#position = position;
    this.#synced = position;
  }

  /**
   * Opens it, made where it is not there. Half a line at its end, left by a crash, is cut off.
   *
   * @throws MeetError `disk-full`, `no-permission`
   */
  static async open(path: string): Promise<EventLog> {
    try {
      const file = await open(path, 'a+').then(async (made) => {
        await made.close();
        // Appending mode ignores positions, and what was half written has to be written over.
        return await open(path, 'r+');
      });
      return new EventLog(path, file, await wholeLines(file));
    } catch (error) {
      throw saveError(path, error);
    }
  }

  /** Why the last attempt to write failed; `undefined` when all is written. */
  get error(): MeetError | undefined {
    return this.#error;
  }

  append(event: RecordingEvent): void {
    if (this.#closed !== undefined) return;
    this.#waiting.push(event);
    if (this.#waiting.length > MAX_WAITING) this.#makeRoom();
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_INTERVAL_MS);
  }

  /** Writes what waits; gives whether nothing waits any more. Never rejects: `error` says what went wrong. */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing.then(() => this.#write());
    await this.#writing;
    return this.#waiting.length === 0;
  }

  /** Resolves when all that came is on the disk and would outlive a loss of power. Never rejects. */
  async sync(): Promise<void> {
    await this.flush();
    const position = this.#position;
    if (this.#synced === position) return;
    try {
      await this.#file.datasync();
      this.#synced = position;
    } catch (error) {
      this.#error = saveError(this.path, error);
    }
  }

  /** Writes what waits, as far as that is possible. The same promise for each call. */
  close(): Promise<void> {
    this.#closed ??= this.sync().then(() => this.#file.close());
    return this.#closed;
  }

  async #write(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    const data = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    try {
      for (let written = 0; written < data.length; ) {
        const rest = data.length - written;
        written += (await this.#file.write(data, written, rest, this.#position + written)).bytesWritten;
      }
      this.#position += data.length;
      this.#error = undefined;
    } catch (error) {
      this.#error = saveError(this.path, error);
      this.#waiting = [...events, ...this.#waiting];
      // Half a line would be glued to the next one by whoever opens the file before all is written.
      await this.#file.truncate(this.#position).catch(() => undefined);
    }
  }

  #makeRoom(): void {
    const kept = this.#waiting.filter(({ type }) => type !== 'anchor');
    this.#waiting = kept.length < MAX_WAITING ? kept : kept.slice(-MAX_WAITING / 2);
  }
}

/** Length of the file up to the end of its last whole line; what is behind is cut off. */
async function wholeLines(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const chunk = Buffer.alloc(64 * 1024);
  for (let end = size; end > 0; ) {
    const from = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - from, from);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline !== -1) {
      const whole = from + newline + 1;
      if (whole < size) await file.truncate(whole);
      return whole;
    }
    end = from;
  }
  if (size > 0) await file.truncate(0);
  return 0;
}

/**
 * The events of a file in their order; none where there is no file. Lines that are cut, damaged, or of a newer version
 * are left out.
 */
export async function* readEvents(path: string): AsyncGenerator<RecordingEvent> {
  const stream = createReadStream(path, 'utf8');
  const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
  try {
    for await (const line of lines) {
      const event = parseEvent(line);
      if (event !== undefined) yield event;
    }
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return;
    throw new MeetError('no-permission', `${path} cannot be read.`, { cause });
  } finally {
    lines.close();
    stream.destroy();
  }
}

function parseEvent(line: string): RecordingEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return Value.Check(RecordingEvent, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

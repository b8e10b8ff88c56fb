/** Everything that is received, in the recording's folder. */
import { EventEmitter } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../../client/rtp/clock.ts';
import { saveError } from '../../media/save/index.ts';
import type { MeetError } from '../../protocol/errors.ts';
import { FILES } from '../folder/index.ts';
import type { RecordingEvent } from '../types.ts';
import { canWrite } from './disk.ts';
import { EventLog } from './event-log.ts';
import { TrackWriter, type WrittenTrack } from './track-writer.ts';

/** What was received is on the disk, and safe from a loss of power, so long after it came. */
const SYNC_INTERVAL_MS = 1_000;
/** How often a disk that is full is looked at. */
const DISK_INTERVAL_MS = 1_000;

interface TrackStoreEvents {
  event: [event: RecordingEvent];
  /** Nothing can be written any more: told once, until `disk-ok`. What was written stays playable. */
  'disk-full': [error: MeetError];
  /** Everything that comes is written again. */
  'disk-ok': [];
}

/** The tracks and the event log of a recording. While it is paused or the disk is full, frames are not kept. */
export class TrackStore extends EventEmitter<TrackStoreEvents> {
  readonly #directory: string;
  readonly #log: EventLog;
  readonly #writers = new Map<TrackWriter, WrittenTrack>();
  readonly #closing = new Set<Promise<void>>();
  readonly #syncTimer: NodeJS.Timeout;
  #diskTimer: NodeJS.Timeout | undefined;
  #syncing: Promise<void> | undefined;
  #checking = false;
  #paused = false;
  #diskFull = false;
  #closed: Promise<void> | undefined;

  private constructor(directory: string, log: EventLog) {
    super();
    this.#directory = directory;
    this.#log = log;
    this.#syncTimer = setInterval(() => void this.sync(), SYNC_INTERVAL_MS);
  }

  /** Opens the store of a recording's folder. @throws MeetError `disk-full`, `no-permission` */
  static async open(folder: string): Promise<TrackStore> {
    const directory = join(folder, FILES.tracks);
    try {
      await mkdir(directory, { recursive: true });
    } catch (error) {
      throw saveError(directory, error);
    }
    return new TrackStore(directory, await EventLog.open(join(folder, FILES.events)));
  }

  /** The recorder's clock, milliseconds since the epoch: the one that received frames carry. */
  now(): number {
    return systemClock.now();
  }

  get diskFull(): boolean {
    return this.#diskFull;
  }

  /** Notes what happened. */
  append(event: RecordingEvent): void {
    this.#log.append(event);
    this.emit('event', event);
  }

  /** Starts to write a track. Close the writer with `end` when the track is over. */
  add(track: WrittenTrack, participantName: string, requestKeyFrame: () => void): TrackWriter {
    const writer = new TrackWriter({
      directory: this.#directory,
      track,
      participantName,
      log: (event) => this.append(event),
      now: () => this.now(),
      onFailed: (error) => this.#onFailed(error),
      onKeyframeNeeded: requestKeyFrame,
    });
    this.#writers.set(writer, track);
    if (this.#writing) writer.resume();
    return writer;
  }

  /** Finishes a track's files. */
  async end(writer: TrackWriter): Promise<void> {
    if (!this.#writers.delete(writer)) return;
    const closing = writer.close();
    this.#closing.add(closing);
    await closing;
    this.#closing.delete(closing);
  }

  /** From now on nothing of the tracks is kept, or it is again; resolves when what was before is written. */
  async setPaused(paused: boolean): Promise<void> {
    this.#paused = paused;
    await this.#apply();
    await this.#log.flush();
  }

  /** What came so far is on the disk when it resolves, one file after the other: the disk has other work too. */
  sync(): Promise<void> {
    this.#syncing ??= this.#syncAll().finally(() => {
      this.#syncing = undefined;
    });
    return this.#syncing;
  }

  /** Finishes all files. The same promise for each call. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  get #writing(): boolean {
    return !this.#paused && !this.#diskFull && this.#closed === undefined;
  }

  async #apply(): Promise<void> {
    const writers = [...this.#writers.keys()];
    if (this.#writing) for (const writer of writers) writer.resume();
    else await Promise.all(writers.map((writer) => writer.suspend()));
  }

  async #syncAll(): Promise<void> {
    for (const writer of [...this.#writers.keys()]) await writer.sync();
    await this.#log.sync();
    if (this.#log.error !== undefined) this.#onFailed(this.#log.error);
  }

  #onFailed(error: MeetError): void {
    if (this.#diskFull || this.#closed !== undefined) return;
    this.#diskFull = true;
    void this.#apply();
    this.append({ type: 'disk', at: this.now(), full: true });
    this.emit('disk-full', error);
    this.#diskTimer = setInterval(() => void this.#checkDisk(), DISK_INTERVAL_MS);
  }

  async #checkDisk(): Promise<void> {
    if (this.#checking) return;
    this.#checking = true;
    try {
      if (!(await canWrite(this.#directory)) || !(await this.#log.flush())) return;
      if (!this.#diskFull || this.#closed !== undefined) return;
      clearInterval(this.#diskTimer);
      this.#diskFull = false;
      this.append({ type: 'disk', at: this.now(), full: false });
      void this.#apply();
      this.emit('disk-ok');
    } finally {
      this.#checking = false;
    }
  }

  async #close(): Promise<void> {
    clearInterval(this.#syncTimer);
    clearInterval(this.#diskTimer);
    await Promise.all([...this.#writers.keys()].map((writer) => writer.close()));
    await Promise.all(this.#closing);
    await this.#syncing;
    await this.#log.close();
  }
}

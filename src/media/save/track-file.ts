/** One received track in a file of its own. */
import { EventEmitter } from 'node:events';
import { type FileHandle, unlink } from 'node:fs/promises';
import type { MeetError } from '../../protocol/errors.ts';
import type { MediaSource } from '../../protocol/model.ts';
import { opusDurationUs } from '../rtp/opus-packet.ts';
import type { Codec } from '../types.ts';
import { blockData, codecPrivate, fileExtension } from './codec-private.ts';
import { trackFileName } from './file-name.ts';
import {
  type Block,
  type Cue,
  cluster,
  cues,
  finishingPatches,
  MAX_CLUSTER_SPAN_MS,
  type MatroskaHeader,
  matroskaHeader,
} from './matroska.ts';
import { createNewFile } from './new-file.ts';
import { saveError } from './save-error.ts';
import { type TimedFrame, type TrackClock, trackClock } from './track-clock.ts';

/** Frames wait at most this long for their write, so that a killed process loses no more. */
const FLUSH_INTERVAL_MS = 500;
/** Frames are written at once when so much of them waits. */
const FLUSH_BYTES = 256 * 1024;
/** Frames that a slow disk keeps waiting; 16 MiB are a minute and more of 720p. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
/** An index entry every so often is enough to seek by. */
const CUE_INTERVAL_MS = 1_000;
/** Length of the last picture where only one was seen, milliseconds. */
const DEFAULT_FRAME_MS = 33;

export interface SavedFrame extends TimedFrame {
  readonly data: Buffer;
  readonly keyframe: boolean;
  readonly width?: number;
  readonly height?: number;
}

export interface TrackFileOptions {
  /** Created where it does not exist. */
  readonly directory: string;
  readonly participantName: string;
  readonly source: MediaSource;
  readonly trackId: string;
  readonly codec: Codec;
}

export interface TrackFileSummary {
  /** `undefined` when no frame that a player could start with came; there is no file then. */
  readonly path: string | undefined;
  readonly frames: number;
  /** Frames before the first keyframe, malformed ones, and those that a slow disk had no room for. */
  readonly framesDropped: number;
  readonly bytes: number;
  readonly durationMs: number;
  /**
   * Wall-clock time of the file's time 0, also its DateUTC: on the sender's clock where its reports came, so
   * that sound and picture of a participant can be laid side by side, else when its first frame came.
   */
  readonly startedAtMs: number;
}

/** `failed` comes at most once; what was written before stays playable and nothing more is written. */
export class TrackFile extends EventEmitter<{ failed: [error: MeetError] }> {
  readonly path: string;
  readonly #codec: Codec;
  readonly #file: FileHandle;
  readonly #clock: TrackClock = trackClock();
  readonly #cues: Cue[] = [];
  #header: MatroskaHeader | undefined;
  #headerWritten = false;
  #pending: Block[] = [];
  #pendingBytes = 0;
  /** Bytes handed to a write that has not ended. */
  #writingBytes = 0;
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #position = 0;
  /** What of the file is known to be on the disk, bytes. */
  #synced = 0;
  #frames = 0;
  #framesDropped = 0;
  #needsKeyFrame = true;
  #lastTimeMs = 0;
  #lastDurationMs = DEFAULT_FRAME_MS;
  #endMs = 0;
  #startedAtMs = 0;
  #failed = false;
  #closed: Promise<TrackFileSummary> | undefined;

  private constructor(path: string, codec: Codec, file: FileHandle) {
    super();
    this.path = path;
    this.#codec = codec;
    this.#file = file;
  }

  /**
   * Creates the file, under a name that no other has. Throws a MeetError: `disk-full`, `no-permission`,
   * `bad-config` for a path that cannot be a folder.
   */
  static async open(options: TrackFileOptions): Promise<TrackFile> {
    const { directory, codec } = options;
    const { path, file } = await createNewFile(directory, (attempt) =>
      trackFileName(options, fileExtension(codec), attempt),
    );
    return new TrackFile(path, codec, file);
  }

  /**
   * Takes a frame in decoding order and gives its time in the file, milliseconds. Video begins with a keyframe; those
   * before it are left out, and nothing is given for them.
   */
  write(frame: SavedFrame): number | undefined {
    if (this.#failed || this.#closed !== undefined) return undefined;
    if (!this.#accepts(frame)) {
      this.#framesDropped++;
      return undefined;
    }
    const timeMs = this.#clock.fileTimeMs(frame);
    if (frame.captureTimeMs !== undefined) this.#startedAtMs = frame.captureTimeMs - timeMs;
    const data = blockData(this.#codec, frame.data);
    this.#pending.push({ data, keyframe: frame.keyframe, timeMs });
    this.#pendingBytes += data.length;
    this.#noteDuration(timeMs, frame);
    if (this.#pendingBytes >= FLUSH_BYTES) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), FLUSH_INTERVAL_MS);
    return timeMs;
  }

  /** A keyframe has to come before anything else is taken: none was there yet, or the disk was too slow. */
  get needsKeyFrame(): boolean {
    return this.#needsKeyFrame;
  }

  /** Resolves when all that came is on the disk and would outlive a loss of power. Never rejects. */
  async sync(): Promise<void> {
    if (this.#closed !== undefined) return;
    this.#flush();
    await this.#writing;
    if (this.#synced === this.#position || this.#failed || this.#closed !== undefined) return;
    const position = this.#position;
    try {
      await this.#file.datasync();
      this.#synced = position;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Writes what waits, the index and the duration. The same promise for each call; never rejects. */
  close(): Promise<TrackFileSummary> {
    this.#closed ??= this.#finish();
    return this.#closed;
  }

  #accepts(frame: SavedFrame): boolean {
    if (frame.data.length === 0 || !Number.isFinite(frame.mediaTimeMs)) return false;
    if (this.#codec === 'opus' && opusDurationUs(frame.data) === undefined) return false;
    if (this.#pendingBytes + this.#writingBytes + frame.data.length > MAX_PENDING_BYTES) {
      this.#needsKeyFrame = true;
      return false;
    }
    if (this.#needsKeyFrame && !frame.keyframe) return false;
    if (this.#header === undefined && !this.#begin(frame)) return false;
    this.#needsKeyFrame = false;
    return true;
  }

  /** Makes the header of the first keyframe; `false` when it does not say what the header needs. */
  #begin(frame: SavedFrame): boolean {
    const setup = codecPrivate(this.#codec, frame.data);
    const video = this.#codec !== 'opus';
    if (setup === undefined || (video && (!frame.width || !frame.height))) return false;
    this.#startedAtMs = frame.captureTimeMs ?? frame.receivedAtMs ?? Date.now();
    this.#header = matroskaHeader({
      codec: this.#codec,
      codecPrivate: setup,
      startedAtMs: this.#startedAtMs,
      ...(video && { width: frame.width!, height: frame.height! }),
    });
    return true;
  }

  /** A picture lasts as long as the one before it did; a long pause is not the length of a picture. */
  #noteDuration(timeMs: number, frame: SavedFrame): void {
    if (this.#codec === 'opus') this.#lastDurationMs = (opusDurationUs(frame.data) ?? 0) / 1000;
    else if (timeMs > this.#lastTimeMs) this.#lastDurationMs = Math.min(timeMs - this.#lastTimeMs, 1000);
    this.#lastTimeMs = timeMs;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#pending.length === 0 || this.#failed) return;
    const blocks = this.#pending;
    const bytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writingBytes += bytes;
    this.#writing = this.#writing.then(async () => {
      try {
        if (!this.#failed) await this.#append(blocks);
      } catch (error) {
        this.#fail(error);
      } finally {
        this.#writingBytes -= bytes;
      }
    });
  }

  async #append(blocks: readonly Block[]): Promise<void> {
    const parts: Buffer[] = this.#headerWritten ? [] : [this.#header!.data];
    let end = this.#position + (parts[0]?.length ?? 0);
    const newCues: Cue[] = [];
    for (const group of clusterGroups(blocks)) {
      const timeMs = group[0]!.timeMs;
      const key = group.find((block) => block.keyframe);
      if (key) newCues.push({ timeMs: key.timeMs, clusterAt: end });
      const data = cluster(timeMs, group);
      parts.push(data);
      end += data.length;
    }
    await this.#writeAt(Buffer.concat(parts), this.#position);
    this.#position = end;
    this.#headerWritten = true;
    this.#frames += blocks.length;
    for (const { timeMs } of blocks) this.#endMs = Math.max(this.#endMs, timeMs + this.#lastDurationMs);
    for (const cue of newCues) {
      const last = this.#cues.at(-1);
      if (last === undefined || cue.timeMs >= last.timeMs + CUE_INTERVAL_MS) this.#cues.push(cue);
    }
  }

  /** A full disk shows first as a short write, then as the error. */
  async #writeAt(data: Buffer, position: number): Promise<void> {
    let written = 0;
    while (written < data.length) {
      const result = await this.#file.write(data, written, data.length - written, position + written);
      written += result.bytesWritten;
    }
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    clearTimeout(this.#timer);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.emit('failed', saveError(this.path, error));
  }

  async #finish(): Promise<TrackFileSummary> {
    this.#flush();
    await this.#writing;
    await this.#finalize().catch((error: unknown) => this.#fail(error));
    await this.#file.close().catch((error: unknown) => this.#fail(error));
    const empty = !this.#headerWritten;
    if (empty) await unlink(this.path).catch(() => undefined);
    return {
      path: empty ? undefined : this.path,
      frames: this.#frames,
      framesDropped: this.#framesDropped,
      bytes: this.#position,
      durationMs: this.#endMs,
      startedAtMs: this.#startedAtMs,
    };
  }

  async #finalize(): Promise<void> {
    const header = this.#header;
    if (header === undefined || !this.#headerWritten) return;
    const cuesAt = await this.#writeCues(header).catch((error: unknown) => this.#fail(error));
    // Half a cluster or index that a full disk left.
    if (this.#failed) await this.#file.truncate(this.#position);
    const patches = finishingPatches(header, {
      durationMs: this.#endMs,
      startedAtMs: this.#startedAtMs,
      cuesAt: cuesAt ?? undefined,
      fileBytes: this.#position,
    });
    for (const patch of patches) await this.#writeAt(patch.data, patch.at);
  }

  /** Position of the index, or nothing where none could be written. */
  async #writeCues(header: MatroskaHeader): Promise<number | undefined> {
    if (this.#failed || this.#cues.length === 0) return undefined;
    const index = cues(this.#cues, header.segmentDataAt);
    const at = this.#position;
    await this.#writeAt(index, at);
    this.#position += index.length;
    return at;
  }
}

/** Blocks in groups that each fit a cluster's 16-bit times, in order. */
function clusterGroups(blocks: readonly Block[]): Block[][] {
  const groups: Block[][] = [];
  let group: Block[] = [];
  for (const block of blocks) {
    const start = group[0]?.timeMs;
    if (start === undefined || Math.abs(block.timeMs - start) > MAX_CLUSTER_SPAN_MS) {
      group = [];
      groups.push(group);
    }
    group.push(block);
  }
  return groups;
}

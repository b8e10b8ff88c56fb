/** One received track, written to the recording's folder. */
import { basename } from 'node:path';
import type { ReceivedFrame } from '../../client/types.ts';
import { TrackFile } from '../../media/save/index.ts';
import type { Codec } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { MediaSource } from '../../protocol/model.ts';
import type { RecordingEvent } from '../types.ts';

/** RTP time and wall clock are tied together so often. */
const ANCHOR_INTERVAL_MS = 1_000;
/** File time and the sender's clock have parted by this much: a server goes to another layer, or a sender began anew. */
const PARTED_MS = 3;
/** Frames that wait for their file to be made. */
const MAX_WAITING = 1_000;

/** What a track is; of a `RemoteTrack`. */
export interface WrittenTrack {
  readonly id: string;
  readonly participantId: string;
  readonly source: MediaSource;
  readonly codec: Codec;
}

export interface TrackWriterOptions {
  /** The recording's `tracks/`. */
  readonly directory: string;
  readonly track: WrittenTrack;
  readonly participantName: string;
  readonly log: (event: RecordingEvent) => void;
  /** Milliseconds since the epoch, on the recorder's clock. */
  readonly now: () => number;
  /** A file could not be made or written; the writer rests until it is resumed. */
  readonly onFailed: (error: MeetError) => void;
  /** The next frame has to be a keyframe. */
  readonly onKeyframeNeeded: () => void;
}

interface Written {
  readonly frame: ReceivedFrame;
  readonly capturedAt: number;
}

/** A part of a track without interruption, in a file of its own. */
class Part {
  readonly opened: Promise<TrackFile | undefined>;
  readonly waiting: Written[] = [];
  file: TrackFile | undefined;
  anchoredAt = Number.NEGATIVE_INFINITY;
  /** Sender's clock less file time, at the last anchor. */
  senderOffset: number | undefined;

  constructor(opened: Promise<TrackFile | undefined>) {
    this.opened = opened;
  }
}

/** Appends a track's frames to one file after the other: a new one after each interruption. */
export class TrackWriter {
  readonly #options: TrackWriterOptions;
  #part: Part | undefined;
  /** Files that are being finished. */
  #closing: Promise<unknown> = Promise.resolve();
  #ended = false;

  constructor(options: TrackWriterOptions) {
    this.#options = options;
  }

  get trackId(): string {
    return this.#options.track.id;
  }

  /** Takes a frame, in decoding order, with the time of its capture; nothing is kept while the writer rests. */
  write(frame: ReceivedFrame, capturedAt: number): void {
    const part = this.#part;
    if (part === undefined) return;
    if (part.file !== undefined) this.#put(part, part.file, { frame, capturedAt });
    else if (part.waiting.length < MAX_WAITING) part.waiting.push({ frame, capturedAt });
  }

  /** Begins a new file, where none is being written. */
  resume(): void {
    if (this.#part !== undefined || this.#ended) return;
    const { directory, track, participantName, onFailed, onKeyframeNeeded } = this.#options;
    const { source, codec, id: trackId } = track;
    const part = new Part(
      TrackFile.open({ directory, participantName, source, trackId, codec }).catch((error: unknown) => {
        if (this.#part === part) this.#part = undefined;
        onFailed(MeetError.from(error));
        return undefined;
      }),
    );
    this.#part = part;
    void part.opened.then((file) => {
      if (file !== undefined) this.#begin(part, file);
    });
    if (codec !== 'opus') onKeyframeNeeded();
  }

  /** Finishes the file that is being written, by when it resolves; what comes before `resume` is not kept. */
  async suspend(): Promise<void> {
    const part = this.#part;
    this.#part = undefined;
    if (part !== undefined)
      this.#closing = Promise.all([this.#closing, part.opened.then((file) => file?.close())]);
    await this.#closing;
  }

  /** What came is on the disk when it resolves. Never rejects. */
  async sync(): Promise<void> {
    await this.#part?.file?.sync();
  }

  /** Finishes all files; resolves when they are closed. May be called twice. */
  async close(): Promise<void> {
    const suspended = this.suspend();
    if (!this.#ended) this.#log({ type: 'track-end', at: this.#options.now(), trackId: this.trackId });
    this.#ended = true;
    await suspended;
  }

  #begin(part: Part, file: TrackFile): void {
    const { track, onFailed, now } = this.#options;
    file.on('failed', (error) => {
      if (this.#part === part) void this.suspend();
      onFailed(error);
    });
    const { id: trackId, participantId, source, codec } = track;
    const at = now();
    this.#log({ type: 'track', at, trackId, participantId, source, codec, file: basename(file.path) });
    for (const written of part.waiting.splice(0)) this.#put(part, file, written);
    part.file = file;
  }

  #put(part: Part, file: TrackFile, { frame, capturedAt }: Written): void {
    const fileMs = file.write(frame);
    if (fileMs === undefined) return;
    const { rtpTimestamp, captureTimeMs: senderMs } = frame;
    const senderOffset = senderMs === undefined ? undefined : senderMs - fileMs;
    const parted = Math.abs((senderOffset ?? 0) - (part.senderOffset ?? senderOffset ?? 0)) > PARTED_MS;
    if (!parted && capturedAt < part.anchoredAt + ANCHOR_INTERVAL_MS) return;
    part.anchoredAt = capturedAt;
    part.senderOffset = senderOffset;
    this.#log({
      type: 'anchor',
      at: this.#options.now(),
      trackId: this.trackId,
      rtpTimestamp,
      fileMs,
      capturedAt: tenths(capturedAt),
      ...(senderMs === undefined ? {} : { senderMs: tenths(senderMs) }),
    });
  }

  #log(event: RecordingEvent): void {
    this.#options.log(event);
  }
}

/** A tenth of a millisecond is enough, and lines of less are shorter. */
function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}

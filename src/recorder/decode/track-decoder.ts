import { EventEmitter } from 'node:events';
import { CodedInput, type CodedPicture } from '../../media/decode/coded-input.ts';
import { exitFailure } from '../../media/ffmpeg/process.ts';
import type { VideoCodec } from '../../media/types.ts';
import { MeetError } from '../../protocol/errors.ts';
import type { I420Picture } from '../canvas/picture.ts';
import type { DecoderProcess } from './decoder-process.ts';
import type { Decoders } from './decoders.ts';
import { FrameQueue, type FrameTag } from './frame-queue.ts';

/** A frame of a received track. */
export interface TrackFrame extends CodedPicture {
  /** Of a keyframe, where its payload says it. */
  readonly width?: number;
  readonly height?: number;
  /** When the sender captured it, milliseconds since the epoch. */
  readonly captureTimeMs?: number | undefined;
}

/** A decoded picture. It stays in its memory after the event only where somebody holds it. */
export interface DecodedPicture extends I420Picture {
  readonly frame: FrameTag;
}

interface TrackDecoderEvents {
  picture: [picture: DecodedPicture];
  /** Nothing can be decoded before the next keyframe. */
  'keyframe-needed': [];
  /** A decoder died; another one takes the next keyframe. */
  failed: [error: MeetError];
}

/** Encoded bytes that may wait for a decoder: a second of 4 Mbit/s. */
const MAX_WAITING_BYTES = 512 * 1024;
/** A decoder that has had a frame for so long and gives nothing is taken for dead. */
const SILENT_AFTER_MS = 3_000;
/** How often a keyframe is asked for while there is none. */
const ASK_AGAIN_MS = 1_000;
/** Frames that are kept while a process starts: two seconds. */
const MAX_EARLY_FRAMES = 60;
/** Pauses before a decoder that dies at once is started again. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 30_000;

/** A process and what belongs to it. */
interface Current {
  readonly process: DecoderProcess;
  readonly input: CodedInput;
  readonly queue: FrameQueue;
  readonly width: number | undefined;
  readonly height: number | undefined;
}

/**
 * Decodes a track for as long as it lasts: with another process when the size of its pictures changes or one dies. What
 * came last stays the last picture meanwhile.
 */
export class TrackDecoder extends EventEmitter<TrackDecoderEvents> {
  readonly #codec: VideoCodec;
  readonly #decoders: Decoders;
  #current: Current | undefined;
  /** Frames, a keyframe first, for a process that is being started. */
  #early: TrackFrame[] | undefined;
  /** Decode what they still have, until the next one gives its first picture. */
  readonly #leaving = new Set<DecoderProcess>();
  #sequence = 0;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #pauseMs = 0;
  #notBeforeMs = 0;
  #closed = false;

  constructor(codec: VideoCodec, decoders: Decoders) {
    super();
    this.#codec = codec;
    this.#decoders = decoders;
  }

  /** Process id of the ffmpeg that decodes now. */
  get pid(): number | undefined {
    return this.#current?.process.ffmpeg.pid;
  }

  /** Takes the next frame in decoding order. */
  write(frame: TrackFrame): void {
    if (this.#closed) return;
    const nowMs = performance.now();
    if (this.#current && this.#current.queue.waitingMs(nowMs) > SILENT_AFTER_MS) {
      this.#fail(
        this.#current,
        new MeetError('ffmpeg-failed', 'A decoder gave no picture for three seconds.'),
      );
    }
    if (this.#early) {
      this.#keep(frame, this.#early, nowMs);
      return;
    }
    const { keyframe, width, height } = frame;
    const current = this.#current;
    const grown =
      keyframe && current && width !== undefined && (width !== current.width || height !== current.height);
    if (current && !grown) {
      this.#feed(current, frame, nowMs);
    } else if (keyframe && nowMs >= this.#notBeforeMs) {
      this.#early = [frame];
      void this.#replace(width, height);
    } else {
      this.#ask(nowMs);
    }
  }

  /** Keeps a frame for the process that is being started; too many are of no use without a new keyframe. */
  #keep(frame: TrackFrame, early: readonly TrackFrame[], nowMs: number): void {
    const room = early.length < MAX_EARLY_FRAMES;
    if (frame.keyframe && (early.length === 0 || !room)) this.#early = [frame];
    else if (early.length > 0 && room) this.#early = [...early, frame];
    else {
      this.#early = [];
      this.#ask(nowMs);
    }
  }

  #feed(current: Current, frame: TrackFrame, nowMs: number): void {
    const result = current.input.write(frame);
    if (result === 'written') {
      const tag = {
        sequence: this.#sequence,
        mediaTimeMs: frame.mediaTimeMs,
        capturedAtMs: frame.captureTimeMs,
      };
      this.#sequence += 1;
      current.queue.push(tag, nowMs, current.process.ffmpeg.complaints);
    } else {
      this.#ask(nowMs);
    }
  }

  #ask(nowMs: number): void {
    if (nowMs - this.#askedAtMs < ASK_AGAIN_MS) return;
    this.#askedAtMs = nowMs;
    this.emit('keyframe-needed');
  }

  /** Goes on with another process, from the first of the early frames on. */
  async #replace(width: number | undefined, height: number | undefined): Promise<void> {
    let process: DecoderProcess;
    try {
      process = await this.#decoders.take();
    } catch (error) {
      this.#early = undefined;
      this.#pause();
      if (!this.#closed) this.emit('failed', error instanceof MeetError ? error : asMeetError(error));
      return;
    }
    if (this.#closed) {
      await process.close();
      return;
    }
    if (this.#current) this.#leaving.add(this.#current.process);
    const input = new CodedInput(process.ffmpeg.input!, {
      codec: this.#codec,
      width: width ?? 640,
      height: height ?? 360,
      maxWaitingBytes: MAX_WAITING_BYTES,
    });
    const current: Current = { process, input, queue: new FrameQueue(), width, height };
    this.#current = current;
    process.listen({
      onPicture: (picture) => this.#emitPicture(current, picture),
      onBroken: (error) => this.#fail(current, error),
    });
    void process.ffmpeg.exit.then((exit) => {
      const unasked = new MeetError('ffmpeg-failed', 'A decoder ended although there was more to decode.');
      if (this.#current === current) this.#fail(current, exitFailure(exit, 'decoding video') ?? unasked);
      else this.#dismiss(process);
    });
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const frame of early) this.write(frame);
  }

  #emitPicture(from: Current, picture: I420Picture): void {
    if (this.#closed) return;
    const frame = from.queue.shift();
    if (!frame) return;
    if (from === this.#current) {
      this.#pauseMs = 0;
      for (const process of this.#leaving) this.#dismiss(process);
    }
    this.emit('picture', { ...picture, frame });
  }

  /** Gives a process up: the next keyframe goes to another. */
  #fail(current: Current, error: MeetError): void {
    if (this.#current !== current || this.#closed) return;
    this.#current = undefined;
    this.#dismiss(current.process);
    this.#pause();
    this.emit('failed', error);
    this.#ask(performance.now());
  }

  /** The first death is followed at once, each one without a picture in between after a longer pause. */
  #pause(): void {
    this.#notBeforeMs = performance.now() + this.#pauseMs;
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * this.#pauseMs));
  }

  #dismiss(process: DecoderProcess): void {
    this.#leaving.delete(process);
    void process.close();
  }

  /** Ends its processes. */
  async close(): Promise<void> {
    this.#closed = true;
    const processes = [...this.#leaving, ...(this.#current ? [this.#current.process] : [])];
    this.#current = undefined;
    this.#leaving.clear();
    await Promise.all(processes.map((process) => process.close()));
  }
}

function asMeetError(cause: unknown): MeetError {
  return new MeetError('internal', 'A decoder could not be started.', { cause });
}

import { EventEmitter } from 'node:events';
import { exitFailure, type FfmpegExit, FfmpegProcess } from '../ffmpeg/process.ts';
import { CapturedPicture, type PixelFormat, type Size } from './pixels.ts';

/** What gives raw pictures on a pipe: an ffmpeg, or another program that speaks so. */
export interface GrabCommand {
  readonly path: string;
  /** Of the whole command; raw pictures come out of `pipe:3`. */
  readonly args: readonly string[];
  readonly format: PixelFormat;
  readonly size: Size;
}

interface GrabberEvents {
  /** A picture has come, in `picture`. */
  picture: [changed: boolean];
  /** It has ended by itself: with the failure, or without where the input was at its end. */
  ended: [failure: Error | undefined];
}

/** One process that captures, and the pictures that it gives. */
export class Grabber extends EventEmitter<GrabberEvents> {
  readonly picture: CapturedPicture;
  readonly #process: FfmpegProcess;
  #closed = false;
  #count = 0;

  constructor({ path, args, format, size }: GrabCommand, input?: NodeJS.ReadableStream) {
    super();
    this.picture = new CapturedPicture(format, size);
    this.#process = new FfmpegProcess({ path, args, outputs: 1, input: input !== undefined });
    if (input && this.#process.input) input.pipe(this.#process.input);
    this.#process.outputs[0]!.on('data', (data: Buffer) => this.#take(data));
    void this.#process.exit.then((exit) => {
      if (!this.#closed) this.emit('ended', exitFailure(exit, 'capturing'));
    });
  }

  /** Process id of what captures, while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Pictures so far. */
  get count(): number {
    return this.#count;
  }

  /** How it ended; settles also when it was closed. */
  get exit(): Promise<FfmpegExit> {
    return this.#process.exit;
  }

  /** Stops and starts reading: what captures then waits. */
  pause(paused: boolean): void {
    const [output] = this.#process.outputs;
    if (paused) output?.pause();
    else output?.resume();
  }

  #take(data: Buffer): void {
    for (let at = 0; at < data.length && !this.#closed; ) {
      at += this.picture.take(data.subarray(at));
      if (!this.picture.whole) return;
      this.#count += 1;
      this.emit('picture', this.picture.finish());
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#process.close();
  }
}

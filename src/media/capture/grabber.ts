import { EventEmitter } from 'node:events';
import { exitFailure, type FfmpegExit, FfmpegProcess } from '../ffmpeg/process.ts';
import { PictureSocket } from './picture-socket.ts';
import { CapturedPicture, type PixelFormat, type Size } from './pixels.ts';
import { Y4mReader } from './y4m.ts';

/** What gives pictures on a pipe, and in what form. */
export interface GrabCommand {
  readonly path: string;
  /** Of the whole command; pictures come out of `pipe:3`, its last word. */
  readonly args: readonly string[];
  readonly format: PixelFormat;
  /** Size of the raw pictures; without it they come as YUV4MPEG2, which says it. */
  readonly size?: Size;
  /** The command reads its input from a stream. */
  readonly input?: NodeJS.ReadableStream;
}

interface GrabberEvents {
  /** A picture has come, in `picture`. */
  picture: [changed: boolean];
  /** It has ended by itself: with the failure, or without where the input was at its end. */
  ended: [failure: Error | undefined];
}

/** One process that captures, and the pictures that it gives. */
export class Grabber extends EventEmitter<GrabberEvents> {
  readonly #process: FfmpegProcess;
  readonly #socket: PictureSocket | undefined;
  #picture: CapturedPicture | undefined;
  #closed = false;

  constructor({ path, args, format, size, input }: GrabCommand) {
    super();
    if (size !== undefined) this.#picture = new CapturedPicture(format, size);
    const reader = new Y4mReader({
      size: (told) => {
        this.#picture = new CapturedPicture('yuv420p', told);
      },
      data: (data) => this.#take(data),
    });
    const take = (data: Buffer) => (size === undefined ? reader.push(data) : this.#take(data));
    this.#socket = PictureSocket.possible ? new PictureSocket(take) : undefined;
    this.#process = new FfmpegProcess({
      path,
      args: this.#socket ? [...args.slice(0, -1), ...this.#socket.args] : args,
      outputs: this.#socket ? 0 : 1,
      input: input !== undefined,
    });
    if (input && this.#process.input) input.pipe(this.#process.input);
    this.#process.outputs[0]?.on('data', take);
    void this.#process.exit.then(async (exit) => {
      this.#socket?.finish();
      await this.#socket?.ended;
      if (!this.#closed) this.emit('ended', exitFailure(exit, 'capturing'));
    });
  }

  /** The picture that came last. */
  get picture(): CapturedPicture {
    if (this.#picture === undefined) throw new Error('No picture has come');
    return this.#picture;
  }

  /** Process id of what captures, while it runs. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** How it ended; settles also when it was closed. */
  get exit(): Promise<FfmpegExit> {
    return this.#process.exit;
  }

  #take(data: Buffer): void {
    for (let at = 0; at < data.length && !this.#closed; ) {
      const picture = this.picture;
      at += picture.take(data.subarray(at));
      if (!picture.whole) return;
      this.emit('picture', picture.finish());
    }
  }

  /** Ends the process. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#socket?.close();
    await this.#process.close();
  }
}

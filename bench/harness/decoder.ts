/** An ffmpeg that decodes VP8 pictures as they come, already started and warm. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { ivfFrame, ivfHeader } from '../../src/media/decode/ivf-writer.ts';
import { findFfmpeg } from '../../src/media/ffmpeg/locate.ts';

export interface Picture {
  readonly data: Buffer;
  readonly width: number;
  readonly height: number;
}

/** ffmpeg gives a picture out when the next one or the one after that comes in. */
const HELD_BACK = 3;
const COPIES = 20;
/** Any steady rate will do. */
const FRAME_MS = 33;

/** ffmpeg with one decoding thread, which takes pictures of one size through a pipe. */
export class WarmDecoder {
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #frameBytes: number;
  #receivedBytes = 0;
  #wantedBytes = 0;
  #written = 0;
  #whole: PromiseWithResolvers<void> | undefined;

  private constructor(process: ChildProcessByStdio<Writable, Readable, null>, { width, height }: Picture) {
    this.#process = process;
    // 4:2:0: half a byte of chroma for each pixel.
    this.#frameBytes = (width * height * 3) / 2;
    process.stdout.on('data', (data: Buffer) => {
      this.#receivedBytes += data.length;
      if (this.#receivedBytes >= this.#wantedBytes) this.#whole?.resolve();
    });
    process.stdout.once('end', () =>
      this.#whole?.reject(new Error('ffmpeg ended before the pictures were out')),
    );
  }

  /** Starts ffmpeg and lets it decode a first picture, with which it opens its codec. */
  static async start(first: Picture): Promise<WarmDecoder> {
    const { path } = await findFfmpeg();
    const input = ['-probesize', '32', '-analyzeduration', '0', '-flags', 'low_delay', '-threads', '1'];
    const output = ['-vsync', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'yuv420p', 'pipe:1'];
    const child = spawn(path, ['-nostdin', '-v', 'error', ...input, '-f', 'ivf', '-i', 'pipe:0', ...output], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const decoder = new WarmDecoder(child, first);
    child.stdin.write(ivfHeader('vp8', first));
    await decoder.#decode(first, HELD_BACK + 1);
    return decoder;
  }

  /**
   * Decodes a keyframe of the first one's size many times over.
   *
   * @returns milliseconds for each, from the encoded picture's way in to the whole decoded one's way out
   */
  async decode(picture: Picture): Promise<number> {
    const startedAt = performance.now();
    await this.#decode(picture, COPIES);
    return (performance.now() - startedAt) / (COPIES - HELD_BACK);
  }

  async #decode({ data }: Picture, copies: number): Promise<void> {
    this.#wantedBytes = this.#receivedBytes + (copies - HELD_BACK) * this.#frameBytes;
    const whole = Promise.withResolvers<void>();
    this.#whole = whole;
    for (let i = 0; i < copies; i += 1) {
      this.#process.stdin.write(ivfFrame(data, this.#written * FRAME_MS));
      this.#written += 1;
    }
    await whole.promise;
    this.#whole = undefined;
  }

  async close(): Promise<void> {
    const closed = once(this.#process, 'close');
    this.#process.stdin.end();
    await closed;
  }
}

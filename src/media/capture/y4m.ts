/** Reads YUV4MPEG2, the one form of raw pictures that says how large they are (yuv4mpeg(5) of mjpegtools). */
import { pictureBytes, type Size } from './pixels.ts';

export interface Y4mSink {
  /** The stream begins: its pictures are I420 of this size. */
  size(size: Size): void;
  /** Bytes of pictures, one picture after the other. */
  data(data: Buffer): void;
}

/** A header that is longer is none. */
const MAX_HEADER = 1_024;
const LINE_END = 0x0a;

export class Y4mReader {
  readonly #sink: Y4mSink;
  #line: Buffer = Buffer.alloc(0);
  /** Bytes of a picture, and how many of the current one are still to come. */
  #pictureBytes = 0;
  #left = 0;

  constructor(sink: Y4mSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length; ) {
      if (this.#left > 0) {
        const part = chunk.subarray(at, at + this.#left);
        at += part.length;
        this.#left -= part.length;
        this.#sink.data(part);
        continue;
      }
      const end = chunk.indexOf(LINE_END, at);
      const part = chunk.subarray(at, end === -1 ? chunk.length : end);
      this.#line = Buffer.concat([this.#line, part]);
      if (this.#line.length > MAX_HEADER) throw new RangeError('This is no YUV4MPEG2 stream');
      if (end === -1) return;
      at = end + 1;
      this.#take(this.#line.toString('latin1'));
      this.#line = Buffer.alloc(0);
    }
  }

  #take(line: string): void {
    if (this.#pictureBytes > 0) {
      this.#left = this.#pictureBytes;
      return;
    }
    const width = Number(/ W(\d+)/.exec(line)?.[1]);
    const height = Number(/ H(\d+)/.exec(line)?.[1]);
    if (!line.startsWith('YUV4MPEG2') || !(width > 0 && height > 0)) {
      throw new RangeError('This is no YUV4MPEG2 stream');
    }
    this.#pictureBytes = pictureBytes({ width, height });
    this.#sink.size({ width, height });
  }
}

/** An ffmpeg that decodes VP8 pictures as they come and reads the counter in each. */

import { ivfFrame, ivfHeader } from '../../../src/media/decode/ivf-writer.ts';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { FfmpegProcess } from '../../../src/media/ffmpeg/process.ts';
import { readBarcode } from '../../../test/support/barcode.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';

/** The counter is read from a small grey copy, which costs little to pass on. */
const WIDTH = 320;
const HEIGHT = 180;
const PICTURE_BYTES = WIDTH * HEIGHT;
/** Any steady rate will do: pictures are told apart by their number. */
const FRAME_MS = 33;

export interface ReadPicture {
  /** Which one of those written it is, from 0: as long as all decode, each gives one picture. */
  readonly index: number;
  /** Shared clock, milliseconds: when the whole picture was out of the decoder. */
  readonly at: number;
  /** `undefined` where it cannot be read: a corrupt picture. */
  readonly counter: number | undefined;
}

export class PictureReader {
  readonly #process: FfmpegProcess;
  readonly #onPicture: (picture: ReadPicture) => void;
  readonly #picture = Buffer.alloc(PICTURE_BYTES);
  #filled = 0;
  #written = 0;
  #decoded = 0;

  private constructor(process: FfmpegProcess, onPicture: (picture: ReadPicture) => void) {
    this.#process = process;
    this.#onPicture = onPicture;
    process.outputs[0]!.on('data', (data: Buffer) => this.#read(data));
  }

  static async start(onPicture: (picture: ReadPicture) => void): Promise<PictureReader> {
    const { path } = await findFfmpeg();
    const input = ['-probesize', '32', '-analyzeduration', '0', '-flags', 'low_delay'];
    // The size is pinned: raw output keeps that of the first picture, and layers change.
    const scale = `scale=${WIDTH}:${HEIGHT}:flags=area,format=gray`;
    const output = ['-vf', scale, '-vsync', 'passthrough', '-f', 'rawvideo', '-flush_packets', '1', 'pipe:3'];
    // One thread on either side: with more, decoder and raw encoder hold each picture back until the next comes.
    const thread = ['-threads', '1'];
    const args = ['-v', 'error', ...input, ...thread, '-f', 'ivf', '-i', 'pipe:0', ...thread, ...output];
    return new PictureReader(new FfmpegProcess({ path, args, outputs: 1, input: true }), onPicture);
  }

  /** Decodes the next picture of the stream; the first one must be a keyframe with its size, else it is left out. */
  write(data: Buffer, size: { readonly width?: number; readonly height?: number }): boolean {
    if (this.#written === 0) {
      if (size.width === undefined || size.height === undefined) return false;
      this.#process.input?.write(ivfHeader('vp8', { width: size.width, height: size.height }));
    }
    this.#process.input?.write(ivfFrame(data, this.#written * FRAME_MS));
    this.#written += 1;
    return true;
  }

  #read(data: Buffer): void {
    for (let offset = 0; offset < data.length; ) {
      const copied = data.copy(this.#picture, this.#filled, offset);
      offset += copied;
      this.#filled += copied;
      if (this.#filled < PICTURE_BYTES) return;
      this.#filled = 0;
      const counter = readBarcode(this.#picture, WIDTH, HEIGHT);
      this.#onPicture({ index: this.#decoded, at: sharedClockMs(), counter });
      this.#decoded += 1;
    }
  }

  close(): Promise<void> {
    return this.#process.close();
  }
}

import type { Socket } from 'node:net';
import { CODED_INPUT } from '../../media/decode/coded-input.ts';
import { findFfmpeg, keepTimes } from '../../media/ffmpeg/locate.ts';
import { FfmpegProcess } from '../../media/ffmpeg/process.ts';
import type { MeetError } from '../../protocol/errors.ts';
import type { I420Picture } from '../canvas/picture.ts';
import type { PixelMemory } from '../canvas/pixels.ts';
import { LARGEST_SIDE, PictureReader } from './picture-reader.ts';
import { socketPair } from './socket-pair.ts';

/** Who hears from a decoder. */
export interface DecoderListener {
  onPicture(picture: I420Picture): void;
  /** It gave something else than pictures. */
  onBroken(error: MeetError): void;
}

/**
 * One ffmpeg that decodes pictures of whatever codec their container says, at the size that they have. Scaling them down
 * here was measured too: ffmpeg's scaler takes 0.4 ms for a picture of 360p, the canvas 0.15 ms, and what is saved of the
 * socket 0.1 ms.
 */
export class DecoderProcess {
  readonly ffmpeg: FfmpegProcess;
  readonly #socket: Socket;
  readonly #reader: PictureReader;
  readonly #listener: { current?: DecoderListener };

  private constructor(
    ffmpeg: FfmpegProcess,
    socket: Socket,
    reader: PictureReader,
    listener: { current?: DecoderListener },
  ) {
    this.#listener = listener;
    this.ffmpeg = ffmpeg;
    this.#socket = socket;
    this.#reader = reader;
  }

  /** @throws MeetError `ffmpeg-missing`, `no-permission` */
  static async start(memory: PixelMemory, ffmpegPath?: string): Promise<DecoderProcess> {
    const found = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
    const listener: { current?: DecoderListener } = {};
    const reader = new PictureReader(memory, {
      onPicture: (picture) => listener.current?.onPicture(picture),
      onBroken: (error) => listener.current?.onBroken(error),
    });
    const { ours, theirs } = await socketPair(reader);
    const limit = `scale='min(iw,${LARGEST_SIDE})':'min(ih,${LARGEST_SIDE})':force_original_aspect_ratio=decrease`;
    const output = [
      ...['-vf', limit, '-pix_fmt', 'yuv420p', ...keepTimes(found), '-threads', '1'],
      ...['-f', 'yuv4mpegpipe', '-flush_packets', '1', 'pipe:3'],
    ];
    const args = ['-v', 'error', ...CODED_INPUT, ...output];
    const ffmpeg = new FfmpegProcess({ path: found.path, args, outputs: 0, sockets: [theirs], input: true });
    return new DecoderProcess(ffmpeg, ours, reader, listener);
  }

  /** Says who gets the pictures from now on. */
  listen(listener: DecoderListener): void {
    this.#listener.current = listener;
  }

  async close(): Promise<void> {
    delete this.#listener.current;
    // The socket first: it writes to memory that the reader gives back.
    this.#socket.destroy();
    this.#reader.close();
    await this.ffmpeg.close();
  }
}

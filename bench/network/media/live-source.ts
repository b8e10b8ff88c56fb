/** A camera of which the time of each picture is known: drawn, encoded live into three layers and sent. */
import { Buffer } from 'node:buffer';
import { IvfReader } from '../../../src/media/encode/ivf.ts';
import { simulcastLayers } from '../../../src/media/encode/layers.ts';
import { rawMatroskaHeader, rawMatroskaPrefix } from '../../../src/media/encode/raw-matroska.ts';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { exitFailure, FfmpegProcess } from '../../../src/media/ffmpeg/process.ts';
import type { EncodedSource, SourceSink, VideoDescription } from '../../../src/media/types.ts';
import { BARCODE_AREA, BARCODE_COLUMNS, BARCODE_ROWS, barcodeCells } from '../../../test/support/barcode.ts';
import { runFfmpeg } from '../../../test/support/barcode-ffmpeg.ts';
import { sharedClockMs } from '../../programs/synthetic-source.ts';

const WIDTH = 1280;
const HEIGHT = 720;
const FRAME_RATE = 30;
const LUMA_BYTES = WIDTH * HEIGHT;
const PICTURE_BYTES = (LUMA_BYTES * 3) / 2;
/** The picture wanders in a circle that takes so long; kept in memory, 83 MB. */
const BACKGROUND_SECONDS = 2;
/** The counter in the picture has 16 bits: it shows the time of capture in milliseconds modulo this. */
export const CAPTURE_CLOCK_MS = 65_536;
/** Pictures that wait for the encoder; a camera drops what comes on top. */
const MAX_WAITING = 2;

/** One picture of the largest layer on its way out of the source; shared clock, milliseconds. */
export interface EncodedPicture {
  readonly capturedAt: number;
  readonly encodedAt: number;
}

export interface EncoderLog {
  /** Pictures of the largest layer, in order. */
  readonly log: readonly EncodedPicture[];
  /** Pictures that the encoder had no time for. */
  readonly dropped: number;
}

/**
 * All layers get a keyframe where one is asked for: the picture's time is odd then, and that is the condition on which
 * the encoders force one.
 */
const FORCE_KEYFRAME = 'expr:mod(floor(t*1000+0.5),2)';

export class LiveSource implements EncodedSource {
  readonly video: VideoDescription;
  readonly #log: EncodedPicture[] = [];
  readonly #background: Buffer;
  readonly #encoder: FfmpegProcess;
  readonly #captures = new Map<number, number>();
  readonly #inactive = new Set<number>();
  #startedAt = 0;
  #count = 0;
  #lastTimeMs = -2;
  #keyframeWanted = false;
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  private constructor(background: Buffer, path: string) {
    this.#background = background;
    this.video = { codec: 'vp8', layers: simulcastLayers(WIDTH, HEIGHT), frameRate: FRAME_RATE };
    const args = encoderArguments(this.video);
    this.#encoder = new FfmpegProcess({ path, args, outputs: this.video.layers.length, input: true });
  }

  static async open(): Promise<LiveSource> {
    const { path } = await findFfmpeg();
    const turn = `2*PI*n/${BACKGROUND_SECONDS * FRAME_RATE}`;
    const crop = `crop=${WIDTH}:${HEIGHT}:'(iw-ow)/2*(1+sin(${turn})/4)':'(ih-oh)/2*(1+cos(${turn})/4)'`;
    const pattern = `testsrc2=s=${WIDTH * 2}x${HEIGHT * 2}:r=${FRAME_RATE},${crop},format=yuv420p`;
    const frames = ['-frames:v', String(BACKGROUND_SECONDS * FRAME_RATE)];
    const { stdout } = await runFfmpeg([
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      pattern,
      ...frames,
      '-f',
      'rawvideo',
      '-',
    ]);
    return new LiveSource(stdout, path);
  }

  get encoderLog(): EncoderLog {
    return { log: this.#log, dropped: this.#dropped };
  }

  start(sink: SourceSink): void {
    this.#encoder.outputs.forEach((output, layer) => {
      let first = true;
      const reader = new IvfReader((ticks, data) => {
        const timeMs = Math.round(ticks / 90);
        const capturedAt = this.#captures.get(timeMs);
        if (capturedAt === undefined) return;
        if (layer === this.video.layers.length - 1) {
          this.#log.push({ capturedAt, encodedAt: sharedClockMs() });
          this.#captures.delete(timeMs);
        }
        if (this.#inactive.has(layer)) return;
        // RFC 6386 section 9.1: the first bit of a frame is 0 in keyframes.
        const keyframe = (data[0]! & 1) === 0;
        if (first && !keyframe) return;
        first = false;
        const timestampUs = Math.round(capturedAt * 1000);
        const durationUs = Math.round(1e6 / FRAME_RATE);
        sink.frame({ kind: 'video', layer, data, keyframe, timestampUs, durationUs });
      });
      output.on('data', (data: Buffer) => reader.push(data));
    });
    void this.#encoder.exit.then((exit) => {
      if (!this.#closed) sink.failed(exitFailure(exit, 'encoding') ?? new Error('ffmpeg ended'));
    });
    this.#encoder.input?.write(rawMatroskaHeader(WIDTH, HEIGHT));
    this.#startedAt = sharedClockMs();
    this.#capture();
  }

  #capture(): void {
    if (this.#closed) return;
    const capturedAt = sharedClockMs();
    const input = this.#encoder.input!;
    if (input.writableLength > MAX_WAITING * PICTURE_BYTES) this.#dropped += 1;
    else {
      const timeMs = this.#timeOf(capturedAt);
      this.#captures.set(timeMs, capturedAt);
      input.write(rawMatroskaPrefix(timeMs, PICTURE_BYTES));
      input.write(this.#draw(capturedAt));
    }
    this.#count += 1;
    const dueAt = this.#startedAt + (this.#count * 1000) / FRAME_RATE;
    this.#timer = setTimeout(() => this.#capture(), Math.max(0, dueAt - sharedClockMs()));
  }

  #timeOf(capturedAt: number): number {
    const even = Math.max(this.#lastTimeMs + 2, Math.round((capturedAt - this.#startedAt) / 2) * 2);
    this.#lastTimeMs = even;
    // ffmpeg takes the first time for 0, and the first picture is a keyframe anyway.
    const key = this.#keyframeWanted && even > 0;
    this.#keyframeWanted = false;
    return key ? even + 1 : even;
  }

  #draw(capturedAt: number): Buffer {
    const offset = (this.#count % (BACKGROUND_SECONDS * FRAME_RATE)) * PICTURE_BYTES;
    const picture = Buffer.from(this.#background.subarray(offset, offset + PICTURE_BYTES));
    const cells = barcodeCells(Math.floor(capturedAt) % CAPTURE_CLOCK_MS);
    const cellWidth = (WIDTH * BARCODE_AREA.width) / BARCODE_COLUMNS;
    const cellHeight = (HEIGHT * BARCODE_AREA.height) / BARCODE_ROWS;
    for (let row = 0; row < HEIGHT * BARCODE_AREA.height; row += 1) {
      const line = (Math.round(HEIGHT * BARCODE_AREA.y) + row) * WIDTH + Math.round(WIDTH * BARCODE_AREA.x);
      for (let column = 0; column < BARCODE_COLUMNS; column += 1) {
        const cell = cells[Math.floor(row / cellHeight) * BARCODE_COLUMNS + column]!;
        picture.fill(cell, line + column * cellWidth, line + (column + 1) * cellWidth);
      }
    }
    return picture;
  }

  requestKeyFrame(): void {
    this.#keyframeWanted = true;
  }

  /** What is not wanted is encoded all the same, which keeps the cost of the others as it is. */
  setLayerActive(layer: number, active: boolean): void {
    if (!active) this.#inactive.add(layer);
    else if (this.#inactive.delete(layer)) this.#keyframeWanted = true;
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#encoder.close();
  }
}

function encoderArguments({ layers }: VideoDescription): string[] {
  const input = ['-probesize', '32', '-analyzeduration', '0', '-f', 'matroska', '-i', 'pipe:0'];
  const names = layers.map((_, index) => `v${index}`);
  const scaled = layers.map(
    ({ width, height }, index) => `[s${index}]scale=${width}:${height}:flags=bilinear[v${index}]`,
  );
  const split = `[0:v]split=${layers.length}${layers.map((_, index) => `[s${index}]`).join('')}`;
  const outputs = layers.flatMap(({ bitrate }, index) => [
    ...[
      '-map',
      `[${names[index]}]`,
      '-vsync',
      'passthrough',
      '-enc_time_base',
      '1:1000',
      '-force_key_frames',
      FORCE_KEYFRAME,
    ],
    ...[
      '-c:v',
      'libvpx',
      '-deadline',
      'realtime',
      '-cpu-used',
      '-8',
      '-lag-in-frames',
      '0',
      '-error-resilient',
      '1',
    ],
    ...[
      '-b:v',
      String(bitrate),
      '-minrate',
      String(bitrate),
      '-maxrate',
      String(bitrate),
      '-bufsize',
      String(bitrate),
    ],
    ...['-threads', '1', '-g', '9999', '-f', 'ivf', '-flush_packets', '1', `pipe:${index + 3}`],
  ]);
  return ['-v', 'error', ...input, '-filter_complex', [split, ...scaled].join(';'), ...outputs];
}

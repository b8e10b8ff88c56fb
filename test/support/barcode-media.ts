/** Reads counters and beeps out of media files. */
import { type Area, readBarcode, WHOLE_PICTURE } from './barcode.ts';
import { findBeeps } from './barcode-beeps.ts';
import { runFfmpeg } from './barcode-ffmpeg.ts';

export interface BarcodeFrame {
  /** Presentation time in the file, seconds. */
  readonly pts: number;
  /** `undefined` where the picture has no readable barcode. */
  readonly counter: number | undefined;
}

export interface ReadFramesOptions {
  /** Where the clip's picture lies in the file's, for layouts of several; the whole by default. */
  readonly picture?: Area;
  /** Which of the file's video streams; default 0. */
  readonly stream?: number;
  /** Arguments before `-i`, such as `-f ivf`. */
  readonly inputArgs?: readonly string[];
}

const SAMPLE_RATE = 48_000;

/** Every decoded picture in order of presentation, none repeated or left out, whatever its size. */
export async function readBarcodeFrames(
  path: string,
  options: ReadFramesOptions = {},
): Promise<BarcodeFrame[]> {
  const { picture = WHOLE_PICTURE, stream = 0, inputArgs = [] } = options;
  // A whole picture reads well at 180p; a tile of one needs the pixels.
  const [width, height] = options.picture === undefined ? [320, 180] : [1280, 720];
  const size = width * height;
  const counters: (number | undefined)[] = [];
  let held: Buffer = Buffer.alloc(0);
  const { stderr } = await runFfmpeg(
    [
      ...['-v', 'info', '-nostdin', ...inputArgs, '-i', path, '-map', `0:v:${stream}`, '-vsync', '0'],
      ...['-vf', `showinfo,scale=${width}:${height}:flags=area,format=gray`],
      ...['-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
    ],
    {
      onOutput(data) {
        held = held.length === 0 ? data : Buffer.concat([held, data]);
        let offset = 0;
        for (; offset + size <= held.length; offset += size) {
          counters.push(readBarcode(held.subarray(offset, offset + size), width, height, picture));
        }
        held = held.subarray(offset);
      },
    },
  );
  const times = [...stderr.matchAll(/Parsed_showinfo.*? pts_time:\s*(-?[\d.]+)/g)].map((match) =>
    Number(match[1]),
  );
  if (times.length !== counters.length) {
    throw new Error(`${path}: ${counters.length} pictures but ${times.length} timestamps`);
  }
  return counters.map((counter, i) => ({ pts: times[i]!, counter }));
}

/**
 * Start of each beep in the file's time, seconds. Sound that begins late or has holes is filled with silence
 * by its timestamps.
 */
export async function readBeeps(path: string, options: { readonly stream?: number } = {}): Promise<number[]> {
  const { stdout } = await runFfmpeg([
    ...['-v', 'error', '-nostdin', '-i', path, '-map', `0:a:${options.stream ?? 0}`],
    ...['-af', 'aresample=async=1:min_hard_comp=0.01:first_pts=0'],
    ...['-ac', '1', '-ar', String(SAMPLE_RATE), '-f', 'f32le', 'pipe:1'],
  ]);
  const samples = new Float32Array(Math.floor(stdout.length / 4));
  for (let i = 0; i < samples.length; i++) samples[i] = stdout.readFloatLE(i * 4);
  return findBeeps(samples, SAMPLE_RATE);
}

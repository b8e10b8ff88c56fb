/** Small media files for the tests of this folder, and what comes out of a source. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EncodedFrame, EncodedSource } from '../../../src/media/types.ts';
import { runFfmpeg, testFfmpeg } from '../../support/barcode-ffmpeg.ts';

/** A temporary folder with what was made in it; `remove` takes it away. */
export function temporaryFolder(): { path: (name: string) => string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'meet-file-test-'));
  return {
    path: (name) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export async function makeMedia(path: string, ...args: string[]): Promise<string> {
  await runFfmpeg(['-v', 'error', '-y', ...args, path]);
  return path;
}

export const shapes = (size: string, seconds: number, rate = 30) => [
  ...['-f', 'lavfi', '-i', `testsrc2=s=${size}:r=${rate}:d=${seconds}`],
];
export const tone = (seconds: number, channels = 1) => [
  ...[
    '-f',
    'lavfi',
    '-i',
    `sine=f=440:r=48000:d=${seconds},aformat=channel_layouts=${channels === 1 ? 'mono' : 'stereo'}`,
  ],
];

export interface Played {
  readonly frames: EncodedFrame[];
  /** `performance.now()` at which each frame came. */
  readonly times: number[];
  readonly end: 'ended' | Error | 'enough';
}

/** Plays a source until it ends or `onFrame` says that it is enough, and closes it. */
export async function play(
  source: EncodedSource,
  onFrame: (frame: EncodedFrame, frames: EncodedFrame[]) => boolean | undefined = () => false,
): Promise<Played> {
  const frames: EncodedFrame[] = [];
  const times: number[] = [];
  const end = await new Promise<Played['end']>((resolve) => {
    source.start({
      frame: (frame) => {
        frames.push(frame);
        times.push(performance.now());
        if (onFrame(frame, frames)) resolve('enough');
      },
      ended: () => resolve('ended'),
      failed: resolve,
    });
  });
  await source.close();
  return { frames, times, end };
}

export const videoOf = (frames: readonly EncodedFrame[], layer: number) =>
  frames.filter((frame) => frame.kind === 'video' && frame.layer === layer);
export const audioOf = (frames: readonly EncodedFrame[]) => frames.filter((frame) => frame.kind === 'audio');

/** An IVF file of VP8, VP9 or AV1 frames; times count up by one at 30 frames a second. */
export function ivf(fourcc: string, pictures: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 'latin1');
  header.writeUInt16LE(32, 6);
  header.write(fourcc, 8, 'latin1');
  header.writeUInt16LE(16, 12);
  header.writeUInt16LE(16, 14);
  header.writeUInt32LE(30, 16);
  header.writeUInt32LE(1, 20);
  header.writeUInt32LE(pictures.length, 24);
  return Buffer.concat([
    header,
    ...pictures.flatMap((picture, index) => {
      const frame = Buffer.alloc(12);
      frame.writeUInt32LE(picture.length);
      frame.writeBigUInt64LE(BigInt(index), 4);
      return [frame, picture];
    }),
  ]);
}

/** Grey pictures that a file decodes to, all of one size. */
export async function decodeGrey(path: string, width: number, height: number): Promise<Buffer[]> {
  const { stdout } = await runFfmpeg([
    ...['-v', 'error', '-i', path, '-vsync', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
  ]);
  const size = width * height;
  return Array.from({ length: Math.floor(stdout.length / size) }, (_, i) =>
    stdout.subarray(i * size, (i + 1) * size),
  );
}

/** Peak signal-to-noise ratio of two grey pictures, dB. */
export function psnr(a: Buffer, b: Buffer): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += (a[i]! - b[i]!) ** 2;
  return sum === 0 ? Infinity : 10 * Math.log10((255 * 255 * a.length) / sum);
}

/** Processes that this one started and that still run, other than workers of the test runner. */
export function ffmpegChildren(): number[] {
  const { stdout } = spawnSync('ps', ['-o', 'pid=,comm=', '--ppid', String(process.pid)], {
    encoding: 'utf8',
  });
  return stdout
    .split('\n')
    .filter((line) => line.includes('ffmpeg'))
    .map((line) => Number.parseInt(line, 10));
}

export const ffmpegPath = testFfmpeg();

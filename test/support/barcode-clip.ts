/** Clips with a barcode counter in the picture and a beep at the start of each second. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BARCODE_AREA, BARCODE_COLUMNS, BARCODE_ROWS, barcodeCells } from './barcode.ts';
import { BEEP_HZ, BEEP_SECONDS } from './barcode-beeps.ts';
import { runFfmpeg } from './barcode-ffmpeg.ts';

export interface BarcodeClipOptions {
  /** Default 10. */
  readonly seconds?: number;
  /** Even; default 1280 by 720. */
  readonly width?: number;
  readonly height?: number;
  /** Whole frames a second; default 30. Frame n shows n; n a multiple of this begins with a beep. */
  readonly frameRate?: number;
  /** Default `mkv`: H.264 and PCM. `mp4` has AAC sound; its time 0 is right through an edit list. */
  readonly container?: 'mkv' | 'mp4';
  readonly audio?: boolean;
  readonly video?: boolean;
}

/** Path of the clip; made once for each set of options and kept in the temporary folder. */
export async function barcodeClip(options: BarcodeClipOptions = {}): Promise<string> {
  const { seconds = 10, width = 1280, height = 720, frameRate = 30, container = 'mkv' } = options;
  const { audio = true, video = true } = options;
  const kinds = `${video ? 'v' : ''}${audio ? 'a' : ''}`;
  const folder = join(tmpdir(), 'meet-barcode-clips');
  const path = join(folder, `${width}x${height}-${frameRate}fps-${seconds}s-${kinds}.${container}`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  // Another test process may be making the same clip: whole files only, the last one stays.
  const making = join(folder, `${randomUUID()}.${container}`);
  const frames = Math.round(seconds * frameRate);
  const args = ['-v', 'error', '-y'];
  if (video) args.push(...videoInputs(width, height, frameRate));
  if (audio) {
    const beep = `0.5*sin(2*PI*${BEEP_HZ}*t)*lt(mod(t\\,1)\\,${BEEP_SECONDS})`;
    args.push('-f', 'lavfi', '-i', `aevalsrc=${beep}:s=48000:d=${seconds}`);
  }
  if (video) {
    args.push('-filter_complex', videoGraph(width, height), '-map', '[v]');
    args.push('-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '12', '-g', String(frameRate));
  }
  if (audio) {
    args.push('-map', video ? '2:a' : '0:a');
    args.push(...(container === 'mp4' ? ['-c:a', 'aac', '-b:a', '192k'] : ['-c:a', 'pcm_s16le']));
  }
  args.push('-t', String(seconds), making);
  const cells = Array.from({ length: frames }, (_, counter) => barcodeCells(counter));
  try {
    await runFfmpeg(args, video ? { input: Buffer.concat(cells) } : {});
    await rename(making, path);
  } catch (error) {
    await rm(making, { force: true });
    throw error;
  }
  return path;
}

/** A test picture twice as large as the clip, and the cells as pixels of a tiny one. */
function videoInputs(width: number, height: number, frameRate: number): string[] {
  const background = `testsrc2=s=${width * 2}x${height * 2}:r=${frameRate}`;
  const cells = ['-pix_fmt', 'gray', '-s', `${BARCODE_COLUMNS}x${BARCODE_ROWS}`, '-r', String(frameRate)];
  return ['-f', 'lavfi', '-i', background, '-f', 'rawvideo', ...cells, '-i', 'pipe:0'];
}

/** A window that wanders over the test picture moves everything, as a hand-held camera does. */
function videoGraph(width: number, height: number): string {
  const even = (value: number) => 2 * Math.round(value / 2);
  const x = `(iw-ow)/2*(1+sin(t*0.7))`;
  const y = `(ih-oh)/2*(1+cos(t*0.9))`;
  const grid = `${even(width * BARCODE_AREA.width)}:${even(height * BARCODE_AREA.height)}`;
  const at = `${even(width * BARCODE_AREA.x)}:${even(height * BARCODE_AREA.y)}`;
  return [
    `[0:v]crop=${width}:${height}:${x}:${y}[back]`,
    `[1:v]scale=${grid}:flags=neighbor,format=yuv420p[cells]`,
    `[back][cells]overlay=${at}:shortest=1,format=yuv420p[v]`,
  ].join(';');
}

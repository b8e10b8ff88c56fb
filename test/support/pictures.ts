/** Pictures of text to show, what became of them, and how alike two are. */

import type { CodedPicture } from '../../src/media/decode/coded-input.ts';
import { ivfFrame, ivfHeader } from '../../src/media/decode/ivf-writer.ts';
import { runFfmpeg } from './barcode-ffmpeg.ts';

interface Size {
  readonly width: number;
  readonly height: number;
}

/** A page of text as BGRX; each number gives another. */
export async function textPage(number: number, { width, height }: Size): Promise<Buffer> {
  const lines = Array.from({ length: 14 }, (_, line) => {
    const words = `Page ${number} line ${line} - the quick brown fox jumps over ${number * 37 + line * 11} lazy dogs`;
    const size = Math.round(height / 32);
    const y = Math.round(height * (0.08 + line * 0.06));
    return `drawtext=text='${words}':x=${Math.round(width * 0.05)}:y=${y}:fontsize=${size}:fontcolor=0x202020`;
  });
  const box = `drawbox=x=iw*${(0.55 + (number % 5) * 0.05).toFixed(2)}:y=ih*0.6:w=iw*0.2:h=ih*0.3:color=0x3060${number % 10}0:t=fill`;
  const source = `color=white:s=${width}x${height}:r=1:d=1,${box},${lines.join(',')},format=bgr0`;
  const words = ['-v', 'error', '-f', 'lavfi', '-i', source, '-frames:v', '1', '-f', 'rawvideo', '-'];
  return (await runFfmpeg(words)).stdout;
}

/** The luma of every picture of a VP8 stream, scaled to one size. */
export async function decodeLuma(
  frames: readonly Pick<CodedPicture, 'data'>[],
  { width, height }: Size,
): Promise<Buffer[]> {
  const ivf = [ivfHeader('vp8', { width, height }), ...frames.map(({ data }, i) => ivfFrame(data, i * 40))];
  const filter = `scale=${width}:${height}:flags=bicubic,format=gray`;
  const words = ['-v', 'error', '-f', 'ivf', '-i', 'pipe:0', '-vf', filter, '-vsync', 'passthrough'];
  const { stdout } = await runFfmpeg([...words, '-f', 'rawvideo', '-'], { input: Buffer.concat(ivf) });
  const bytes = width * height;
  return Array.from({ length: Math.floor(stdout.length / bytes) }, (_, i) =>
    stdout.subarray(i * bytes, (i + 1) * bytes),
  );
}

/** The luma of a BGRX picture, BT.601 with limited range. */
export function lumaOf(bgrx: Buffer): Buffer {
  const luma = Buffer.alloc(bgrx.length / 4);
  for (let i = 0; i < luma.length; i += 1) {
    const at = i * 4;
    luma[i] = 16 + Math.round((24.966 * bgrx[at]! + 128.553 * bgrx[at + 1]! + 65.481 * bgrx[at + 2]!) / 255);
  }
  return luma;
}

const WINDOW = 8;
const STEP = 4;
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/** Structural similarity of two lumas (Wang et al. 2004), the mean over windows of 8x8 that overlap by half: 1 for the same. */
export function ssim(a: Buffer, b: Buffer, { width, height }: Size): number {
  let sum = 0;
  let windows = 0;
  for (let y = 0; y + WINDOW <= height; y += STEP) {
    for (let x = 0; x + WINDOW <= width; x += STEP) {
      sum += windowSsim(a, b, y * width + x, width);
      windows += 1;
    }
  }
  return sum / windows;
}

function windowSsim(a: Buffer, b: Buffer, at: number, stride: number): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let row = 0; row < WINDOW; row += 1) {
    for (let column = 0; column < WINDOW; column += 1) {
      const left = a[at + row * stride + column]!;
      const right = b[at + row * stride + column]!;
      sumA += left;
      sumB += right;
      squaresA += left * left;
      squaresB += right * right;
      products += left * right;
    }
  }
  const count = WINDOW * WINDOW;
  const [meanA, meanB] = [sumA / count, sumB / count];
  const varianceA = squaresA / count - meanA * meanA;
  const varianceB = squaresB / count - meanB * meanB;
  const covariance = products / count - meanA * meanB;
  return (
    ((2 * meanA * meanB + C1) * (2 * covariance + C2)) /
    ((meanA * meanA + meanB * meanB + C1) * (varianceA + varianceB + C2))
  );
}

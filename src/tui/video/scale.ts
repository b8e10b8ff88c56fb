import type { Picture } from '../../media/decode/video-decoder.ts';

/** The picture in another size: each pixel is the mean of those that it stands for. */
export function scale({ width, height, rgb }: Picture, toWidth: number, toHeight: number): Picture {
  if (width === toWidth && height === toHeight) return { width, height, rgb };
  const scaled = Buffer.allocUnsafe(toWidth * toHeight * 3);
  const columns = spans(width, toWidth);
  const rows = spans(height, toHeight);
  let at = 0;
  for (let y = 0; y < toHeight; y += 1) {
    const top = rows[y]!;
    const bottom = Math.max(top + 1, rows[y + 1]!);
    for (let x = 0; x < toWidth; x += 1) {
      const left = columns[x]!;
      const right = Math.max(left + 1, columns[x + 1]!);
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let row = top; row < bottom; row += 1) {
        const end = (row * width + right) * 3;
        for (let from = (row * width + left) * 3; from < end; from += 3) {
          red += rgb[from]!;
          green += rgb[from + 1]!;
          blue += rgb[from + 2]!;
        }
      }
      const count = (right - left) * (bottom - top);
      scaled[at] = red / count;
      scaled[at + 1] = green / count;
      scaled[at + 2] = blue / count;
      at += 3;
    }
  }
  return { width: toWidth, height: toHeight, rgb: scaled };
}

/** Where each pixel begins in the old size, and where the last one ends. */
function spans(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to + 1 }, (_, index) => Math.floor((index * from) / to));
}

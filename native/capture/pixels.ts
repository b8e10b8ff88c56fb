/**
 * What capture does with pixels, in AssemblyScript: planes of bytes in a memory that the host owns. A plane is an
 * address and a stride, the distance of its rows in bytes. `npm run build:capture` compiles this to assets/capture.wasm.
 */

/** Weights of BT.601 with limited range, in 1/256: what players take for granted of a stream that says nothing. */
const Y_R: i16 = 66;
const Y_G: i16 = 129;
const Y_B: i16 = 25;
const U_R: i16 = -38;
const U_G: i16 = -74;
const U_B: i16 = 112;
const V_R: i16 = 112;
const V_G: i16 = -94;
const V_B: i16 = -18;

/** Whether two runs of bytes differ. */
function differs(a: usize, b: usize, bytes: usize): bool {
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    const first = v128.or(
      v128.xor(v128.load(a + at), v128.load(b + at)),
      v128.xor(v128.load(a + at, 16), v128.load(b + at, 16)),
    );
    const second = v128.or(
      v128.xor(v128.load(a + at, 32), v128.load(b + at, 32)),
      v128.xor(v128.load(a + at, 48), v128.load(b + at, 48)),
    );
    if (v128.any_true(v128.or(first, second))) return true;
  }
  for (; at < bytes; at++) if (load<u8>(a + at) !== load<u8>(b + at)) return true;
  return false;
}

/** Four pixels of a row to four sums of their weighted channels. */
function weigh(blueRed: v128, green: v128, blueRedWeights: v128, greenWeights: v128): v128 {
  return v128.add<i32>(v128.dot<i16>(blueRed, blueRedWeights), v128.dot<i16>(green, greenWeights));
}

/** Sums of neighbours: of eight pixels four. */
function pairs(left: v128, right: v128): v128 {
  return v128.add<i32>(
    v128.shuffle<i32>(left, right, 0, 2, 4, 6),
    v128.shuffle<i32>(left, right, 1, 3, 5, 7),
  );
}

/** Four lumas from sums. */
function luma(sum: v128): v128 {
  return v128.shr<i32>(v128.add<i32>(sum, i32x4.splat((16 << 8) + 128)), 8);
}

/** Four chromas, each from the sum of four pixels. */
function chroma(sum: v128): v128 {
  return v128.shr<i32>(v128.add<i32>(sum, i32x4.splat((128 << 10) + 512)), 10);
}

/** Packs four values below 256 into four bytes. */
function store4(at: usize, values: v128): void {
  const words = v128.narrow<i32>(values, values);
  v128.store_lane<u32>(at, v128.narrow<u16>(words, words), 0);
}

/**
 * Converts BGRX (blue first, the fourth byte unused) to I420, but only the pairs of rows that differ from those of
 * `previous`; 0 for `previous` converts all. Width and height are even. Gives how many pairs of rows differed.
 */
export function convert(
  source: usize,
  previous: usize,
  width: i32,
  height: i32,
  y: usize,
  u: usize,
  v: usize,
): i32 {
  const stride = <usize>width * 4;
  const w = <usize>width;
  let changed = 0;
  for (let row: usize = 0; row < <usize>height; row += 2) {
    const offset = row * stride;
    if (previous && !differs(source + offset, previous + offset, stride * 2)) continue;
    changed++;
    convertPair(
      source + offset,
      stride,
      w,
      y + row * w,
      u + (row >> 1) * (w >> 1),
      v + (row >> 1) * (w >> 1),
    );
  }
  return changed;
}

function convertPair(top: usize, stride: usize, width: usize, y: usize, u: usize, v: usize): void {
  const mask = i16x8.splat(0xff);
  const yBlueRed = i16x8(Y_B, Y_R, Y_B, Y_R, Y_B, Y_R, Y_B, Y_R);
  const yGreen = i16x8(Y_G, 0, Y_G, 0, Y_G, 0, Y_G, 0);
  const uBlueRed = i16x8(U_B, U_R, U_B, U_R, U_B, U_R, U_B, U_R);
  const uGreen = i16x8(U_G, 0, U_G, 0, U_G, 0, U_G, 0);
  const vBlueRed = i16x8(V_B, V_R, V_B, V_R, V_B, V_R, V_B, V_R);
  const vGreen = i16x8(V_G, 0, V_G, 0, V_G, 0, V_G, 0);
  const bottom = top + stride;
  let x: usize = 0;
  for (; x + 8 <= width; x += 8) {
    const at = x * 4;
    const a = v128.load(top + at);
    const b = v128.load(top + at, 16);
    const c = v128.load(bottom + at);
    const d = v128.load(bottom + at, 16);
    const aBlueRed = v128.and(a, mask);
    const bBlueRed = v128.and(b, mask);
    const cBlueRed = v128.and(c, mask);
    const dBlueRed = v128.and(d, mask);
    const aGreen = v128.shr<u16>(a, 8);
    const bGreen = v128.shr<u16>(b, 8);
    const cGreen = v128.shr<u16>(c, 8);
    const dGreen = v128.shr<u16>(d, 8);
    const upper = v128.narrow<i32>(
      luma(weigh(aBlueRed, aGreen, yBlueRed, yGreen)),
      luma(weigh(bBlueRed, bGreen, yBlueRed, yGreen)),
    );
    const lower = v128.narrow<i32>(
      luma(weigh(cBlueRed, cGreen, yBlueRed, yGreen)),
      luma(weigh(dBlueRed, dGreen, yBlueRed, yGreen)),
    );
    const bytes = v128.narrow<u16>(upper, lower);
    v128.store_lane<u64>(y + x, bytes, 0);
    v128.store_lane<u64>(y + width + x, bytes, 1);
    const leftBlueRed = v128.add<i16>(aBlueRed, cBlueRed);
    const leftGreen = v128.add<i16>(aGreen, cGreen);
    const rightBlueRed = v128.add<i16>(bBlueRed, dBlueRed);
    const rightGreen = v128.add<i16>(bGreen, dGreen);
    store4(
      u + (x >> 1),
      chroma(
        pairs(
          weigh(leftBlueRed, leftGreen, uBlueRed, uGreen),
          weigh(rightBlueRed, rightGreen, uBlueRed, uGreen),
        ),
      ),
    );
    store4(
      v + (x >> 1),
      chroma(
        pairs(
          weigh(leftBlueRed, leftGreen, vBlueRed, vGreen),
          weigh(rightBlueRed, rightGreen, vBlueRed, vGreen),
        ),
      ),
    );
  }
  for (; x < width; x += 2) {
    let blue = 0;
    let green = 0;
    let red = 0;
    for (let k: usize = 0; k < 4; k++) {
      const column = x + (k & 1);
      const pixel = top + (k >> 1) * stride + column * 4;
      const b = <i32>load<u8>(pixel);
      const g = <i32>load<u8>(pixel, 1);
      const r = <i32>load<u8>(pixel, 2);
      store<u8>(y + (k >> 1) * width + column, <u8>((b * Y_B + g * Y_G + r * Y_R + (16 << 8) + 128) >> 8));
      blue += b;
      green += g;
      red += r;
    }
    store<u8>(u + (x >> 1), <u8>((blue * U_B + green * U_G + red * U_R + (128 << 10) + 512) >> 10));
    store<u8>(v + (x >> 1), <u8>((blue * V_B + green * V_G + red * V_R + (128 << 10) + 512) >> 10));
  }
}

/**
 * Makes a plane smaller: each pixel is the mean of those that it covers. `line` has room for a row of the source as
 * 16-bit sums.
 */
export function shrink(
  source: usize,
  width: i32,
  height: i32,
  target: usize,
  targetWidth: i32,
  targetHeight: i32,
  line: usize,
): void {
  const w = <usize>width;
  for (let row = 0; row < targetHeight; row++) {
    const from = <i32>((<i64>row * height) / targetHeight);
    const to = max<i32>(from + 1, <i32>((<i64>(row + 1) * height) / targetHeight));
    sumRows(source + <usize>from * w, w, to - from, line);
    let begin: i32 = 0;
    const out = target + <usize>row * <usize>targetWidth;
    for (let column = 0; column < targetWidth; column++) {
      const end = max<i32>(begin + 1, <i32>((<i64>(column + 1) * width) / targetWidth));
      let sum: u32 = 0;
      for (let x = begin; x < end; x++) sum += load<u16>(line + ((<usize>x) << 1));
      const count = <u32>((end - begin) * (to - from));
      store<u8>(out + <usize>column, <u8>((sum + (count >> 1)) / count));
      begin = min<i32>(end, width - 1);
    }
  }
}

/** Adds up to 257 rows of bytes to one of 16-bit sums. */
function sumRows(source: usize, width: usize, rows: i32, line: usize): void {
  let x: usize = 0;
  for (; x + 16 <= width; x += 16) {
    let low = i16x8.splat(0);
    let high = i16x8.splat(0);
    let at = source + x;
    for (let row = 0; row < rows; row++, at += width) {
      const bytes = v128.load(at);
      low = v128.add<i16>(low, v128.extend_low<u8>(bytes));
      high = v128.add<i16>(high, v128.extend_high<u8>(bytes));
    }
    v128.store(line + (x << 1), low);
    v128.store(line + (x << 1), high, 16);
  }
  for (; x < width; x++) {
    let sum: u32 = 0;
    let at = source + x;
    for (let row = 0; row < rows; row++, at += width) sum += load<u8>(at);
    store<u16>(line + (x << 1), <u16>sum);
  }
}

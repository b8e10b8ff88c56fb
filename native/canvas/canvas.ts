/**
 * What the recorder's canvas does with pixels, in AssemblyScript: planes of bytes in a memory that the host owns.
 * A plane is an address and a stride, the distance of its rows in bytes. Reads may go up to 16 bytes past the end of
 * a row, writes never do. `npm run build:canvas` compiles this to assets/canvas.wasm.
 */

/** Taps of a pixel in each direction: enough for a triangle over sources up to twice as large. */
const TAPS: i32 = 4;
/** All weights of a pixel add up to this: products of a byte and a weight then fit 16 bits, sums included. */
const ONE: i32 = 128;
const SHIFT: i32 = 7;
/** A row's entry: first source row (i32), four weights. */
const ROW_ENTRY: usize = 8;
/** Four columns' entry: first source column (i32), 16 indices at 16, 16 weights at 32. */
const GROUP_ENTRY: usize = 48;

/** Bytes of the table that `tabulate` makes for a side of so many pixels. */
export function tableBytes(to: i32): i32 {
  const groups = (to + 3) >> 2;
  return <i32>(<usize>groups * (GROUP_ENTRY + 4 * ROW_ENTRY));
}

/** Where the entries for columns begin in a table. */
function groupsOf(table: usize, to: i32): usize {
  return table + <usize>((to + 3) >> 2) * 4 * ROW_ENTRY;
}

/**
 * The weights with which `from` pixels make `to` (at least half as many): linear interpolation where pixels become more, a
 * triangle as wide as two pixels of the result where they become fewer. Taps beyond an edge are left out.
 */
export function tabulate(table: usize, from: i32, to: i32): void {
  const ratio: f64 = <f64>from / <f64>to;
  const reach: f64 = max<f64>(1, ratio);
  const padded = ((to + 3) >> 2) << 2;
  for (let i = 0; i < padded; i++) {
    const centre: f64 = (<f64>min(i, to - 1) + 0.5) * ratio - 0.5;
    const start: i32 = max<i32>(0, <i32>Math.floor(centre - reach) + 1);
    let total: f64 = 0;
    for (let k = 0; k < TAPS; k++) {
      if (start + k < from) total += max<f64>(0, 1 - Math.abs(<f64>(start + k) - centre) / reach);
    }
    const entry = table + <usize>i * ROW_ENTRY;
    store<i32>(entry, start);
    let left: i32 = ONE;
    let largest: i32 = 0;
    let heaviest: i32 = -1;
    for (let k = 0; k < TAPS; k++) {
      let weight: i32 = 0;
      if (start + k < from) {
        const share: f64 = max<f64>(0, 1 - Math.abs(<f64>(start + k) - centre) / reach);
        weight = <i32>Math.round((share * <f64>ONE) / total);
      }
      store<u8>(entry + <usize>k, <u8>weight, 4);
      left -= weight;
      if (weight > heaviest) {
        heaviest = weight;
        largest = k;
      }
    }
    store<u8>(entry + <usize>largest, <u8>(heaviest + left), 4);
  }
  const groups = groupsOf(table, to);
  for (let i = 0; i < padded; i += 4) {
    const group = groups + <usize>(i >> 2) * GROUP_ENTRY;
    const base = load<i32>(table + <usize>i * ROW_ENTRY);
    store<i32>(group, base);
    for (let p = 0; p < 4; p++) {
      const entry = table + <usize>(i + p) * ROW_ENTRY;
      const offset = load<i32>(entry) - base;
      for (let k = 0; k < TAPS; k++) {
        const at = group + <usize>(k * 4 + p);
        const weight = load<u8>(entry + <usize>k, 4);
        // Where there is nothing to add, an index past the register gives zero.
        store<u8>(at, weight ? <u8>(offset + k) : 255, 16);
        store<u8>(at, weight, 32);
      }
    }
  }
}

/** Adds up four rows by their weights. */
function mixRows(dst: usize, row: usize, stride: usize, entry: usize, width: i32): void {
  const w0 = i8x16.splat(load<i8>(entry, 4));
  const w1 = i8x16.splat(load<i8>(entry, 5));
  const w2 = i8x16.splat(load<i8>(entry, 6));
  const w3 = i8x16.splat(load<i8>(entry, 7));
  // A row without weight may lie beyond the plane.
  const row1 = load<u8>(entry, 5) ? row + stride : row;
  const row2 = load<u8>(entry, 6) ? row + 2 * stride : row;
  const row3 = load<u8>(entry, 7) ? row + 3 * stride : row;
  const half = i16x8.splat(<i16>(ONE / 2));
  const deep = load<u16>(entry, 6) !== 0;
  for (let x: usize = 0; x < <usize>width; x += 16) {
    const a = v128.load(row + x);
    const b = v128.load(row1 + x);
    let low = v128.add<i16>(v128.extmul_low<u8>(a, w0), v128.extmul_low<u8>(b, w1));
    let high = v128.add<i16>(v128.extmul_high<u8>(a, w0), v128.extmul_high<u8>(b, w1));
    if (deep) {
      const c = v128.load(row2 + x);
      const d = v128.load(row3 + x);
      low = v128.add<i16>(low, v128.add<i16>(v128.extmul_low<u8>(c, w2), v128.extmul_low<u8>(d, w3)));
      high = v128.add<i16>(high, v128.add<i16>(v128.extmul_high<u8>(c, w2), v128.extmul_high<u8>(d, w3)));
    }
    low = v128.shr<u16>(v128.add<i16>(low, half), SHIFT);
    high = v128.shr<u16>(v128.add<i16>(high, half), SHIFT);
    v128.store(dst + x, v128.narrow<u16>(low, high));
  }
}

/** Four columns: their 16 products, added up to four sums in the lower half. */
function mixColumns(row: usize, group: usize): v128 {
  const pixels = v128.swizzle(v128.load(row + <usize>load<i32>(group)), v128.load(group, 16));
  const weights = v128.load(group, 32);
  const sums = v128.add<i16>(v128.extmul_low<u8>(pixels, weights), v128.extmul_high<u8>(pixels, weights));
  return v128.add<i16>(sums, v128.shuffle<u64>(sums, sums, 1, 0));
}

/**
 * Scales a plane. `columns` and `rows` are tables of `tabulate` for the two directions; `line` has room for a source
 * row and 32 bytes. Sources more than twice as large are halved first.
 */
export function scale(
  dst: usize,
  dstStride: usize,
  dstWidth: i32,
  dstHeight: i32,
  src: usize,
  srcStride: usize,
  srcWidth: i32,
  columns: usize,
  rows: usize,
  line: usize,
): void {
  const groups = groupsOf(columns, dstWidth);
  const half = i16x8.splat(<i16>(ONE / 2));
  const pairs = dstWidth >> 3;
  for (let y = 0; y < dstHeight; y++, dst += dstStride) {
    const entry = rows + <usize>y * ROW_ENTRY;
    let row = src + <usize>load<i32>(entry) * srcStride;
    if (load<u8>(entry, 4) !== <u8>ONE) {
      mixRows(line, row, srcStride, entry, srcWidth);
      row = line;
    }
    if (srcWidth === dstWidth) {
      memory.copy(dst, row, dstWidth);
      continue;
    }
    let group = groups;
    let out = dst;
    for (let i = 0; i < pairs; i++, group += 2 * GROUP_ENTRY, out += 8) {
      const both = v128.shuffle<u64>(mixColumns(row, group), mixColumns(row, group + GROUP_ENTRY), 0, 2);
      const sums = v128.shr<u16>(v128.add<i16>(both, half), SHIFT);
      v128.store64_lane(out, v128.narrow<u16>(sums, sums), 0);
    }
    for (let left = dstWidth & 7; left > 0; left -= 4, group += GROUP_ENTRY, out += 4) {
      const sums = v128.shr<u16>(v128.add<i16>(mixColumns(row, group), half), SHIFT);
      let word = <u32>v128.extract_lane<i32>(v128.narrow<u16>(sums, sums), 0);
      for (let k = 0; k < min(left, 4); k++, word >>= 8) store<u8>(out + <usize>k, <u8>word);
    }
  }
}

/** Means of 2 × 2 pixels. `width` and `height` are those of the result; rows of it have room for 16 bytes more. */
export function halve(
  dst: usize,
  dstStride: usize,
  width: i32,
  height: i32,
  src: usize,
  srcStride: usize,
): void {
  const two = i16x8.splat(2);
  for (let y = 0; y < height; y++, dst += dstStride, src += 2 * srcStride) {
    for (let x: usize = 0; x < <usize>width; x += 16) {
      const a = src + 2 * x;
      const b = a + srcStride;
      const low = v128.add<i16>(
        v128.extadd_pairwise<u8>(v128.load(a)),
        v128.extadd_pairwise<u8>(v128.load(b)),
      );
      const high = v128.add<i16>(
        v128.extadd_pairwise<u8>(v128.load(a, 16)),
        v128.extadd_pairwise<u8>(v128.load(b, 16)),
      );
      v128.store(
        dst + x,
        v128.narrow<u16>(
          v128.shr<u16>(v128.add<i16>(low, two), 2),
          v128.shr<u16>(v128.add<i16>(high, two), 2),
        ),
      );
    }
  }
}

export function fill(dst: usize, stride: usize, width: i32, height: i32, value: i32): void {
  for (let y = 0; y < height; y++, dst += stride) memory.fill(dst, <u8>value, width);
}

/** Mixes a plane into another: `weight` of 256 is all of it. */
export function mix(
  dst: usize,
  dstStride: usize,
  src: usize,
  srcStride: usize,
  width: i32,
  height: i32,
  weight: i32,
): void {
  const full = width & ~15;
  const more = i16x8.splat(<i16>weight);
  const less = i16x8.splat(<i16>(256 - weight));
  const half = i16x8.splat(128);
  for (let y = 0; y < height; y++, dst += dstStride, src += srcStride) {
    for (let x: usize = 0; x < <usize>full; x += 16) {
      const a = v128.load(dst + x);
      const b = v128.load(src + x);
      const low = v128.add<i16>(
        v128.mul<i16>(v128.extend_low<u8>(a), less),
        v128.mul<i16>(v128.extend_low<u8>(b), more),
      );
      const high = v128.add<i16>(
        v128.mul<i16>(v128.extend_high<u8>(a), less),
        v128.mul<i16>(v128.extend_high<u8>(b), more),
      );
      v128.store(
        dst + x,
        v128.narrow<u16>(
          v128.shr<u16>(v128.add<i16>(low, half), 8),
          v128.shr<u16>(v128.add<i16>(high, half), 8),
        ),
      );
    }
    for (let x: usize = full; x < <usize>width; x++) {
      const sum = <i32>load<u8>(dst + x) * (256 - weight) + <i32>load<u8>(src + x) * weight + 128;
      store<u8>(dst + x, <u8>(sum >> 8));
    }
  }
}

/** Mixes one value into a plane: `weight` of 256 is all of it. */
export function tint(dst: usize, stride: usize, width: i32, height: i32, value: i32, weight: i32): void {
  const full = width & ~15;
  const less = i16x8.splat(<i16>(256 - weight));
  const added = i16x8.splat(<i16>(value * weight + 128));
  for (let y = 0; y < height; y++, dst += stride) {
    for (let x: usize = 0; x < <usize>full; x += 16) {
      const a = v128.load(dst + x);
      const low = v128.add<i16>(v128.mul<i16>(v128.extend_low<u8>(a), less), added);
      const high = v128.add<i16>(v128.mul<i16>(v128.extend_high<u8>(a), less), added);
      v128.store(dst + x, v128.narrow<u16>(v128.shr<u16>(low, 8), v128.shr<u16>(high, 8)));
    }
    for (let x: usize = full; x < <usize>width; x++) {
      store<u8>(dst + x, <u8>((<i32>load<u8>(dst + x) * (256 - weight) + value * weight + 128) >> 8));
    }
  }
}

/** Paints one value through a mask of 0 to 255; `weight` of 256 is the mask as it is. */
export function paint(
  dst: usize,
  dstStride: usize,
  mask: usize,
  maskStride: usize,
  width: i32,
  height: i32,
  value: i32,
  weight: i32,
): void {
  const full = width & ~7;
  // Half of the weight: the product with 256 has to fit 16 bits.
  const strength = i16x8.splat(<i16>(weight >> 1));
  const colour = i16x8.splat(<i16>value);
  const all = i16x8.splat(256);
  const half = i16x8.splat(128);
  for (let y = 0; y < height; y++, dst += dstStride, mask += maskStride) {
    for (let x: usize = 0; x < <usize>full; x += 8) {
      // 255 becomes 256, so that a full mask leaves nothing of what was there.
      const m = v128.load_ext<u8>(mask + x);
      const alpha = v128.shr<u16>(v128.mul<i16>(v128.add<i16>(m, v128.shr<u16>(m, 7)), strength), 7);
      const a = v128.load_ext<u8>(dst + x);
      const sum = v128.add<i16>(
        v128.add<i16>(v128.mul<i16>(a, v128.sub<i16>(all, alpha)), v128.mul<i16>(colour, alpha)),
        half,
      );
      v128.store64_lane(dst + x, v128.narrow<u16>(v128.shr<u16>(sum, 8), v128.shr<u16>(sum, 8)), 0);
    }
    for (let x: usize = full; x < <usize>width; x++) {
      const m = <i32>load<u8>(mask + x);
      const alpha = ((m + (m >> 7)) * (weight >> 1)) >> 7;
      const sum = <i32>load<u8>(dst + x) * (256 - alpha) + value * alpha + 128;
      store<u8>(dst + x, <u8>(sum >> 8));
    }
  }
}

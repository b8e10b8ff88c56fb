/** Outlines to masks: the share of each pixel that lies inside. */

/** How much of each pixel is covered, 0 to 255; rows from the top without gaps. */
export interface Mask {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** Straight pieces of a curve; glyphs of labels are a dozen pixels high. */
const PIECES = 6;

/**
 * Adds up signed areas of the pieces of outlines, of which a sum along each row makes the covered shares (the method of
 * font-rs). Coordinates are pixels, to the right and down from the top left corner.
 */
export class OutlineRaster {
  readonly #width: number;
  readonly #height: number;
  readonly #areas: Float32Array;
  #x = 0;
  #y = 0;
  #startX = 0;
  #startY = 0;

  constructor(width: number, height: number) {
    this.#width = width;
    this.#height = height;
    // What lies right of a row's end goes into its last cell, which is not shown.
    this.#areas = new Float32Array((width + 2) * height);
  }

  moveTo(x: number, y: number): void {
    this.close();
    this.#startX = x;
    this.#startY = y;
    this.#x = x;
    this.#y = y;
  }

  lineTo(x: number, y: number): void {
    this.#edge(this.#x, this.#y, x, y);
    this.#x = x;
    this.#y = y;
  }

  quadraticTo(cx: number, cy: number, x: number, y: number): void {
    const [fromX, fromY] = [this.#x, this.#y];
    for (let i = 1; i <= PIECES; i += 1) {
      const t = i / PIECES;
      const u = 1 - t;
      this.lineTo(u * u * fromX + 2 * u * t * cx + t * t * x, u * u * fromY + 2 * u * t * cy + t * t * y);
    }
  }

  cubicTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void {
    const [fromX, fromY] = [this.#x, this.#y];
    for (let i = 1; i <= PIECES; i += 1) {
      const t = i / PIECES;
      const u = 1 - t;
      const [p, q, r, s] = [u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t];
      this.lineTo(p * fromX + q * ax + r * bx + s * x, p * fromY + q * ay + r * by + s * y);
    }
  }

  close(): void {
    if (this.#x !== this.#startX || this.#y !== this.#startY) this.lineTo(this.#startX, this.#startY);
  }

  /** The mask of all outlines so far. */
  mask(): Mask {
    this.close();
    const data = new Uint8Array(this.#width * this.#height);
    for (let y = 0; y < this.#height; y += 1) {
      let sum = 0;
      for (let x = 0; x < this.#width; x += 1) {
        sum += this.#areas[y * (this.#width + 2) + x]!;
        data[y * this.#width + x] = Math.min(255, Math.round(Math.abs(sum) * 255));
      }
    }
    return { width: this.#width, height: this.#height, data };
  }

  #edge(x0: number, y0: number, x1: number, y1: number): void {
    if (y0 === y1) return;
    const direction = y0 < y1 ? 1 : -1;
    const [topX, top, bottomX, bottom] = y0 < y1 ? [x0, y0, x1, y1] : [x1, y1, x0, y0];
    const slope = (bottomX - topX) / (bottom - top);
    const first = Math.max(0, Math.floor(top));
    const last = Math.min(this.#height, Math.ceil(bottom));
    for (let row = first; row < last; row += 1) {
      const from = Math.max(row, top);
      const to = Math.min(row + 1, bottom);
      if (to <= from) continue;
      const a = topX + (from - top) * slope;
      const b = topX + (to - top) * slope;
      this.#span(row, Math.min(a, b), Math.max(a, b), direction * (to - from));
    }
  }

  /** A piece within one row, from `left` to `right`, that covers `area` of what lies right of it. */
  #span(row: number, left: number, right: number, area: number): void {
    const start = row * (this.#width + 2);
    const clamp = (x: number) => Math.min(this.#width, Math.max(0, x));
    const [l, r] = [clamp(left), clamp(right)];
    const firstCell = Math.floor(l);
    const lastCell = Math.floor(r);
    if (firstCell === lastCell) {
      const covered = firstCell + 1 - (l + r) / 2;
      this.#areas[start + firstCell]! += area * covered;
      this.#areas[start + firstCell + 1]! += area * (1 - covered);
      return;
    }
    // Right of column x lies the integral of the part of the piece that is left of it.
    const before = (x: number) => (x <= l ? 0 : x >= r ? x - (l + r) / 2 : (x - l) ** 2 / (2 * (r - l)));
    let earlier = 0;
    let given = 0;
    for (let cell = firstCell; cell <= lastCell; cell += 1) {
      const total = before(cell + 1);
      const covered = total - earlier;
      this.#areas[start + cell]! += area * (covered - given);
      given = covered;
      earlier = total;
    }
    this.#areas[start + lastCell + 1]! += area * (1 - given);
  }
}

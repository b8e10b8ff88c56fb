import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.ts';

/** How ffmpeg names the pixels that capture takes: four bytes a pixel with blue first, or planes of Y, U and V. */
export type PixelFormat = 'bgr0' | 'yuv420p';

export interface Size {
  readonly width: number;
  readonly height: number;
}

// In lib.dom.d.ts only, whose other names Node does not have.
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { initial: number });
    readonly buffer: ArrayBuffer;
  }
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Instance {
    constructor(module: Module, imports: object);
    readonly exports: object;
  }
}

/** The exports of assets/capture.wasm; native/capture/pixels.ts says what they do. */
interface PixelFunctions {
  convert(
    source: number,
    previous: number,
    width: number,
    height: number,
    y: number,
    u: number,
    v: number,
  ): number;
  shrink(
    source: number,
    width: number,
    height: number,
    target: number,
    targetWidth: number,
    targetHeight: number,
    line: number,
  ): void;
}

/** A WebAssembly page. */
const PAGE = 65_536;
/** What the compiled code keeps for itself. */
const RESERVED = PAGE;
/** Places begin at multiples of this, and nothing that is read in blocks ends at the end of the memory. */
const ALIGNMENT = 64;

let compiled: WebAssembly.Module | undefined;

/** The bytes of an I420 picture; both sides are even. */
export function pictureBytes({ width, height }: Size): number {
  return (width * height * 3) / 2;
}

/** The bytes of a picture as it is captured. */
export function capturedBytes(format: PixelFormat, size: Size): number {
  return format === 'bgr0' ? size.width * size.height * 4 : pictureBytes(size);
}

/** A size that is at most as large, with even sides of two pixels at least. */
export function evenSize({ width, height }: Size): Size {
  const even = (side: number) => Math.max(2, Math.floor(side / 2) * 2);
  return { width: even(width), height: even(height) };
}

/** The captured picture of one size: taken in pieces, compared with the one before, converted and made smaller. */
export class CapturedPicture {
  readonly size: Size;
  readonly format: PixelFormat;
  readonly #functions: PixelFunctions;
  readonly #bytes: Uint8Array;
  /** Where the picture that comes is written, and the one before it. */
  #incoming: number;
  #previous: number;
  readonly #planes: number;
  readonly #smaller: number;
  readonly #line: number;
  #filled = 0;
  #first = true;

  constructor(format: PixelFormat, size: Size) {
    this.format = format;
    this.size = size;
    const captured = align(capturedBytes(format, size));
    const planes = align(pictureBytes(size));
    const line = align(size.width * 2 + ALIGNMENT);
    this.#incoming = RESERVED;
    this.#previous = this.#incoming + captured;
    this.#planes = this.#previous + captured;
    this.#smaller = this.#planes + planes;
    this.#line = this.#smaller + planes;
    const memory = new WebAssembly.Memory({ initial: Math.ceil((this.#line + line) / PAGE) + 1 });
    compiled ??= new WebAssembly.Module(readFileSync(join(PACKAGE_ROOT, 'assets', 'capture.wasm')));
    const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
    this.#functions = exports as PixelFunctions;
    this.#bytes = new Uint8Array(memory.buffer);
  }

  /**
   * Takes bytes of the picture that comes, up to its end; gives how many. Once it is whole, `finish` has to be called
   * before more can be taken.
   */
  take(data: Uint8Array): number {
    const length = Math.min(data.length, this.#captured - this.#filled);
    this.#bytes.set(data.subarray(0, length), this.#incoming + this.#filled);
    this.#filled += length;
    return length;
  }

  /** All of the picture that comes is here. */
  get whole(): boolean {
    return this.#filled === this.#captured;
  }

  get #captured(): number {
    return capturedBytes(this.format, this.size);
  }

  /** Makes the picture that has come the current one; gives whether it differs from the one before. */
  finish(): boolean {
    const changed = this.format === 'bgr0' ? this.#convert() : this.#adopt();
    [this.#incoming, this.#previous] = [this.#previous, this.#incoming];
    this.#filled = 0;
    this.#first = false;
    return changed;
  }

  #convert(): boolean {
    const { width, height } = this.size;
    const u = this.#planes + width * height;
    const v = u + (width * height) / 4;
    const previous = this.#first ? 0 : this.#previous;
    return this.#functions.convert(this.#incoming, previous, width, height, this.#planes, u, v) > 0;
  }

  #adopt(): boolean {
    const bytes = pictureBytes(this.size);
    const now = Buffer.from(this.#bytes.buffer, this.#incoming, bytes);
    const same = !this.#first && now.equals(Buffer.from(this.#bytes.buffer, this.#previous, bytes));
    if (!same) this.#bytes.copyWithin(this.#planes, this.#incoming, this.#incoming + bytes);
    return !same;
  }

  /** The current picture as I420, scaled down to a size that is not larger. Memory of its own. */
  picture(size: Size = this.size): Buffer {
    const { width, height } = this.size;
    if (size.width === width && size.height === height) {
      return this.#copy(this.#planes, pictureBytes(size));
    }
    let from = this.#planes;
    let to = this.#smaller;
    for (const divisor of [1, 2, 2]) {
      this.#shrink(from, { width: width / divisor, height: height / divisor }, to, {
        width: size.width / divisor,
        height: size.height / divisor,
      });
      from += (width * height) / divisor ** 2;
      to += (size.width * size.height) / divisor ** 2;
    }
    return this.#copy(this.#smaller, pictureBytes(size));
  }

  /** Whether both show the same picture of the same size. */
  equals(other: CapturedPicture): boolean {
    if (other.size.width !== this.size.width || other.size.height !== this.size.height) return false;
    return this.#shown.equals(other.#shown);
  }

  get #shown(): Buffer {
    return Buffer.from(this.#bytes.buffer, this.#planes, pictureBytes(this.size));
  }

  /** The current picture as so many shades of grey, row by row. Memory of its own. */
  grey(columns: number, rows: number): Buffer {
    this.#shrink(this.#planes, this.size, this.#smaller, { width: columns, height: rows });
    return this.#copy(this.#smaller, columns * rows);
  }

  #shrink(from: number, source: Size, to: number, target: Size): void {
    this.#functions.shrink(from, source.width, source.height, to, target.width, target.height, this.#line);
  }

  #copy(from: number, bytes: number): Buffer {
    const copy = Buffer.allocUnsafeSlow(bytes);
    copy.set(this.#bytes.subarray(from, from + bytes));
    return copy;
  }
}

function align(bytes: number): number {
  return Math.ceil((bytes + ALIGNMENT) / ALIGNMENT) * ALIGNMENT;
}

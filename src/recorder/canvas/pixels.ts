/** The functions of native/canvas/canvas.ts and the memory they work in. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../package-root.ts';
import { Blocks } from './blocks.ts';

const PAGE_BYTES = 65_536;
/** The functions keep nothing in the memory. What they read just before a picture is still in it. */
const FIRST_BYTE = 4_096;
/**
 * Address space and not memory: the system gives pages when they are written to. It never grows, since views of a memory
 * that grows become empty, and sockets write into views of this one. Enough for 40 videos of 1080p.
 */
const MEMORY_BYTES = 512 * 1024 * 1024;

/** What is used of the global of this name, which the types of Node leave to those of browsers. */
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array);
  }
  class Memory {
    readonly buffer: ArrayBuffer;
    constructor(pages: { initial: number; maximum: number });
  }
  class Instance {
    readonly exports: unknown;
    constructor(module: Module, imports: { env: { memory: Memory } });
  }
}

/** Exports of canvas.wasm; addresses and sizes are in bytes, and all are described where they are written. */
interface Functions {
  tableBytes(to: number): number;
  tabulate(table: number, from: number, to: number): void;
  scale(
    dst: number,
    dstStride: number,
    dstWidth: number,
    dstHeight: number,
    src: number,
    srcStride: number,
    srcWidth: number,
    columns: number,
    rows: number,
    line: number,
  ): void;
  halve(dst: number, dstStride: number, width: number, height: number, src: number, srcStride: number): void;
  fill(dst: number, stride: number, width: number, height: number, value: number): void;
  mix(
    dst: number,
    dstStride: number,
    src: number,
    srcStride: number,
    width: number,
    height: number,
    weight: number,
  ): void;
  tint(dst: number, stride: number, width: number, height: number, value: number, weight: number): void;
  paint(
    dst: number,
    dstStride: number,
    mask: number,
    maskStride: number,
    width: number,
    height: number,
    value: number,
    weight: number,
  ): void;
}

let compiled: WebAssembly.Module | undefined;

/** The memory in which pictures are decoded, scaled and put together. */
export class PixelMemory {
  readonly functions: Functions;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #blocks: Blocks;

  constructor() {
    compiled ??= new WebAssembly.Module(readFileSync(join(PACKAGE_ROOT, 'assets', 'canvas.wasm')));
    const pages = MEMORY_BYTES / PAGE_BYTES;
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(compiled, { env: { memory } });
    this.functions = instance.exports as Functions;
    this.bytes = new Uint8Array(memory.buffer);
    this.#blocks = new Blocks(FIRST_BYTE, MEMORY_BYTES);
  }

  /** Bytes in use. */
  get used(): number {
    return this.#blocks.used;
  }

  /** Address of so many bytes with any content, to be given back once. @throws MeetError `out-of-memory` */
  take(bytes: number): number {
    return this.#blocks.take(bytes);
  }

  /** Holds what is at an address once more: it stays until as many have given it back. */
  hold(at: number): void {
    this.#blocks.hold(at);
  }

  give(at: number): void {
    this.#blocks.give(at);
  }

  view(at: number, bytes: number): Uint8Array<ArrayBuffer> {
    return this.bytes.subarray(at, at + bytes);
  }
}

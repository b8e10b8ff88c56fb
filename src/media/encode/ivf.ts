/** One picture as it comes off a pipe. */
export type PictureSink = (ticks: number, data: Buffer) => void;

/** Turns chunks of a stream into pictures. */
export interface StreamReader {
  push(chunk: Buffer): void;
  /** The stream has ended: gives what was held back until its end was known. */
  end(): void;
}

const FILE_HEADER = 32;
const FRAME_HEADER = 12;

/**
 * Reads IVF: a 32-byte header with the time base, then for each frame its size and time (both little endian).
 * Times are given in ticks of 1/90000 s.
 */
export class IvfReader implements StreamReader {
  readonly #sink: PictureSink;
  #pending = new ChunkQueue();
  #ticksPerUnit: number | undefined;

  constructor(sink: PictureSink) {
    this.#sink = sink;
  }

  push(chunk: Buffer): void {
    this.#pending.push(chunk);
    if (this.#ticksPerUnit === undefined) {
      const header = this.#pending.take(FILE_HEADER);
      if (!header) return;
      this.#ticksPerUnit = (90_000 * header.readUInt32LE(20)) / header.readUInt32LE(16);
    }
    for (;;) {
      const header = this.#pending.peek(FRAME_HEADER);
      if (!header) return;
      const size = header.readUInt32LE(0);
      if (this.#pending.length < FRAME_HEADER + size) return;
      const ticks = Math.round(Number(header.readBigInt64LE(4)) * this.#ticksPerUnit);
      this.#pending.take(FRAME_HEADER);
      this.#sink(ticks, this.#pending.take(size) ?? Buffer.alloc(0));
    }
  }

  end(): void {}
}

/** Bytes that came in chunks and are taken in pieces of other sizes, copied once. */
export class ChunkQueue {
  #chunks: Buffer[] = [];
  length = 0;

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  /** The first `size` bytes, left in the queue; `undefined` while there are fewer. */
  peek(size: number): Buffer | undefined {
    if (this.length < size) return undefined;
    const first = this.#chunks[0];
    if (first && first.length >= size) return first.subarray(0, size);
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined.subarray(0, size);
  }

  /** Removes and gives the first `size` bytes as memory of their own; `undefined` while there are fewer. */
  take(size: number): Buffer | undefined {
    if (this.length < size) return undefined;
    const taken = Buffer.allocUnsafeSlow(size);
    let filled = 0;
    while (filled < size) {
      const first = this.#chunks[0]!;
      const part = Math.min(first.length, size - filled);
      first.copy(taken, filled, 0, part);
      filled += part;
      if (part === first.length) this.#chunks.shift();
      else this.#chunks[0] = first.subarray(part);
    }
    this.length -= size;
    return taken;
  }
}

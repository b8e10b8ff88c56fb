import { type I420Picture, i420Bytes } from './picture.ts';
import type { PixelMemory } from './pixels.ts';
import { type Planes, planesAt } from './surface.ts';

/** The last picture of a track. */
export interface TrackPicture {
  readonly width: number;
  readonly height: number;
  readonly planes: Planes;
  /** Another number than that of any picture before. */
  readonly version: number;
}

interface Kept extends TrackPicture {
  readonly block: number;
}

/** The last picture of each track, in the memory of the pixels. */
export class Pictures {
  readonly #memory: PixelMemory;
  readonly #last = new Map<string, Kept>();
  #version = 0;

  constructor(memory: PixelMemory) {
    this.#memory = memory;
  }

  /** Keeps a picture: by holding it where it lies in the memory already, else by one copy. */
  put(trackId: string, { width, height, data, block }: I420Picture): void {
    const bytes = i420Bytes(width, height);
    if (width < 1 || height < 1 || data.length < bytes) {
      throw new RangeError(`A picture of ${width}x${height} has ${bytes} bytes, and not ${data.length}.`);
    }
    if (block !== undefined) this.#memory.hold(block);
    const held = block ?? this.#copy(data, bytes);
    const at = block === undefined ? held : data.byteOffset;
    this.drop(trackId);
    this.#version += 1;
    const planes = planesAt(at, width, height);
    this.#last.set(trackId, { width, height, planes, version: this.#version, block: held });
  }

  get(trackId: string): TrackPicture | undefined {
    return this.#last.get(trackId);
  }

  drop(trackId: string): void {
    const kept = this.#last.get(trackId);
    if (!kept) return;
    this.#last.delete(trackId);
    this.#memory.give(kept.block);
  }

  trackIds(): string[] {
    return [...this.#last.keys()];
  }

  #copy(data: Uint8Array, bytes: number): number {
    const at = this.#memory.take(bytes);
    this.#memory.bytes.set(data.subarray(0, bytes), at);
    return at;
  }
}

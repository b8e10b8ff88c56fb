/** Decoded pictures that wait for the time at which they are shown. */
import type { I420Picture } from '../canvas/picture.ts';
import type { PixelMemory } from '../canvas/pixels.ts';

interface WaitingPicture {
  readonly picture: I420Picture;
  readonly capturedAt: number;
}

export class PictureQueue {
  readonly #memory: PixelMemory;
  readonly #most: number;
  #pictures: WaitingPicture[] = [];

  /** @param most beyond these the oldest go */
  constructor(memory: PixelMemory, most: number) {
    this.#memory = memory;
    this.#most = most;
  }

  /** When the latest of those that wait was captured; `undefined` for none. */
  get latestAt(): number | undefined {
    return this.#pictures.at(-1)?.capturedAt;
  }

  /** Keeps a picture in its memory until it was shown. */
  keep(picture: I420Picture, capturedAt: number): void {
    if (picture.block === undefined) return;
    this.#memory.hold(picture.block);
    this.#pictures.push({ picture, capturedAt });
    if (this.#pictures.length > this.#most) this.#release(this.#pictures.shift()!.picture);
  }

  /** Passes on the latest picture that was captured by a wall time, where there is a new one. */
  show(wallMs: number, put: (picture: I420Picture) => void): boolean {
    let latest = -1;
    for (const [index, { capturedAt }] of this.#pictures.entries()) if (capturedAt <= wallMs) latest = index;
    if (latest < 0) return false;
    put(this.#pictures[latest]!.picture);
    for (const { picture } of this.#pictures.splice(0, latest + 1)) this.#release(picture);
    return true;
  }

  clear(): void {
    for (const { picture } of this.#pictures.splice(0)) this.#release(picture);
  }

  #release({ block }: I420Picture): void {
    if (block !== undefined) this.#memory.give(block);
  }
}

import type { CameraFeed } from '../device/camera-feed.ts';
import { evenSize, type Size } from './pixels.ts';
import type { Overlay } from './screen-source.ts';

/** The camera's width and its distance from the corner, as shares of the screen's width. */
const WIDTH_SHARE = 0.2;
const MARGIN_SHARE = 0.015;
/** How often its picture is drawn anew, milliseconds: a face is seen, and a still page is not a film. */
const INTERVAL_MS = 100;

/** Draws a camera into the lower right corner of a shared picture. */
export class PictureInPicture implements Overlay {
  readonly #feed: CameraFeed;
  #new = true;
  #drawnMs = Number.NEGATIVE_INFINITY;

  constructor(feed: CameraFeed) {
    this.#feed = feed;
    feed.on('picture', () => {
      this.#new = true;
    });
  }

  get changed(): boolean {
    return this.#new && this.#feed.available && performance.now() - this.#drawnMs >= INTERVAL_MS;
  }

  draw(picture: Buffer, size: Size): void {
    if (!this.#feed.available) return;
    const camera = this.#feed.picture;
    const { width, height } = camera.size;
    const small = evenSize({
      width: Math.min(width, size.width * WIDTH_SHARE),
      height: Math.min(height, (size.width * WIDTH_SHARE * height) / width, size.height / 2),
    });
    const margin = Math.floor((size.width * MARGIN_SHARE) / 2) * 2;
    blit(picture, size, camera.picture(small), small, {
      x: size.width - small.width - margin,
      y: size.height - small.height - margin,
    });
    this.#new = false;
    this.#drawnMs = performance.now();
  }
}

/** Copies one I420 picture into another, at an even place. */
function blit(target: Buffer, size: Size, source: Buffer, part: Size, place: { x: number; y: number }): void {
  const x = Math.max(0, Math.floor(place.x / 2) * 2);
  const y = Math.max(0, Math.floor(place.y / 2) * 2);
  let to = 0;
  let from = 0;
  for (const divisor of [1, 2, 2]) {
    const stride = size.width / divisor;
    const width = part.width / divisor;
    for (let row = 0; row < part.height / divisor; row += 1) {
      const begin = from + row * width;
      source.copy(target, to + (y / divisor + row) * stride + x / divisor, begin, begin + width);
    }
    to += (size.width * size.height) / divisor ** 2;
    from += (part.width * part.height) / divisor ** 2;
  }
}

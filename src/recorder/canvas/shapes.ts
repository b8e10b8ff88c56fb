/** Shapes of the decorations as masks, from the distance of each pixel to their edge. */
import type { Mask } from '../text/outline.ts';

/** Distance to the edge in pixels, negative inside. */
type Distance = (x: number, y: number) => number;

/** Pixels whose middle lies half a pixel inside are covered, half a pixel outside are not. */
function shape(width: number, height: number, distance: Distance): Mask {
  const data = new Uint8Array(width * height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const covered = Math.min(1, Math.max(0, 0.5 - distance(x + 0.5, y + 0.5)));
      data[y * width + x] = Math.round(covered * 255);
    }
  }
  return { width, height, data };
}

/** A rectangle with round corners. */
function roundedBox(width: number, height: number, radius: number): Distance {
  return (x, y) => {
    const dx = Math.abs(x - width / 2) - width / 2 + radius;
    const dy = Math.abs(y - height / 2) - height / 2 + radius;
    return Math.hypot(Math.max(dx, 0), Math.max(dy, 0)) + Math.min(Math.max(dx, dy), 0) - radius;
  };
}

/** A line with round ends. */
function stroke(ax: number, ay: number, bx: number, by: number, width: number): Distance {
  const length = (bx - ax) ** 2 + (by - ay) ** 2;
  return (x, y) => {
    const share = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length;
    const t = Math.min(1, Math.max(0, share));
    return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)) - width / 2;
  };
}

export function pill(width: number, height: number, radius: number): Mask {
  return shape(width, height, roundedBox(width, height, radius));
}

export function disc(diameter: number): Mask {
  return shape(diameter, diameter, roundedBox(diameter, diameter, diameter / 2));
}

/** What lies outside of the round corner at the top left. */
export function outsideCorner(radius: number): Mask {
  return shape(radius, radius, (x, y) => radius - Math.hypot(radius - x, radius - y));
}

/** A microphone that is crossed out. */
export function mutedSign(size: number): Mask {
  const at = (share: number) => share * size;
  const thick = Math.max(1.5, at(0.09));
  const body = stroke(at(0.5), at(0.26), at(0.5), at(0.46), at(0.26));
  const arc: Distance = (x, y) =>
    y < at(0.46)
      ? Number.POSITIVE_INFINITY
      : Math.abs(Math.hypot(x - at(0.5), y - at(0.46)) - at(0.27)) - thick / 2;
  const foot = stroke(at(0.5), at(0.73), at(0.5), at(0.9), thick);
  const bar = stroke(at(0.16), at(0.12), at(0.84), at(0.88), thick);
  const gap = stroke(at(0.16), at(0.12), at(0.84), at(0.88), 3 * thick);
  return shape(size, size, (x, y) => {
    const microphone = Math.min(body(x, y), arc(x, y), foot(x, y));
    return Math.min(bar(x, y), Math.max(microphone, -gap(x, y)));
  });
}

/** A ring with an exclamation mark: the picture does not go on. */
export function stalledSign(size: number): Mask {
  const at = (share: number) => share * size;
  const thick = Math.max(2, at(0.08));
  const middle = at(0.5);
  const stem = stroke(middle, at(0.28), middle, at(0.54), thick);
  const dot = stroke(middle, at(0.7), middle, at(0.701), thick * 1.2);
  return shape(size, size, (x, y) => {
    const ring = Math.abs(Math.hypot(x - middle, y - middle) - at(0.42)) - thick / 2;
    return Math.min(ring, stem(x, y), dot(x, y));
  });
}

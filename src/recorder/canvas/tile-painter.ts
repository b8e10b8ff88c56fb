import type { Size } from '../layout/rect.ts';
import { even, evenBelow } from '../layout/rect.ts';
import type { Tile } from '../layout/types.ts';
import { lineHeight, write } from '../text/writer.ts';
import type { Rect } from '../types.ts';
import { fitPicture } from './fit.ts';
import type { Masks } from './masks.ts';
import { BLACK, WHITE } from './picture.ts';
import type { TrackPicture } from './pictures.ts';
import type { Scaler } from './scaler.ts';
import { disc, mutedSign, outsideCorner, pill, stalledSign } from './shapes.ts';
import {
  AVATAR_BACKGROUND,
  BACKGROUND,
  BARS,
  discOf,
  frameWidth,
  initials,
  labelSize,
  SPEAKING,
} from './style.ts';
import type { Surface } from './surface.ts';

/** Label widths are in these steps, so that a tile that grows does not need another label for each picture. */
const LABEL_STEP = 64;
const LABEL_SHARE = 0.65;
const STALLED_SHARE = 0.45;

/** What is in a tile besides what the tile says. */
export interface TileContent {
  readonly picture: TrackPicture | undefined;
  /** Its stream has not moved for some time. */
  readonly stalled: boolean;
}

/** Draws single tiles: picture or initials, label, frame. */
export class TilePainter {
  readonly #scaler: Scaler;
  readonly #masks: Masks;
  readonly #canvasHeight: number;
  readonly #corners: number;

  /** @param options.corners radius of round corners, even pixels; 0 for none */
  constructor(scaler: Scaler, masks: Masks, options: { canvas: Size; corners: number }) {
    this.#scaler = scaler;
    this.#masks = masks;
    this.#canvasHeight = options.canvas.height;
    this.#corners = options.corners;
  }

  /** Draws a tile with all that belongs to it at a place of its size, whatever was there. */
  paint(surface: Surface, tile: Tile, { picture, stalled }: TileContent, rect: Rect = tile.rect): void {
    if (picture) this.#picture(surface, tile, picture, rect);
    else this.#avatar(surface, tile, rect);
    if (picture && stalled) this.#stalled(surface, rect);
    if (tile.speaking) this.#frame(surface, rect);
    this.#label(surface, tile, rect);
    if (this.#corners > 0 && tile.z <= 0) this.#round(surface, rect);
  }

  #picture(surface: Surface, tile: Tile, picture: TrackPicture, rect: Rect): void {
    const { part, place } = fitPicture(picture, rect, tile.kind);
    for (const bar of around(rect, place)) surface.fill(bar, BARS);
    this.#scaler.draw(picture.planes, part, surface.planes, place);
  }

  #avatar(surface: Surface, { participantId, label }: Tile, rect: Rect): void {
    surface.fill(rect, AVATAR_BACKGROUND);
    const diameter = evenBelow(Math.min(rect.width, rect.height) * 0.5);
    if (diameter < 8) return;
    const mask = this.#masks.get(`disc ${diameter}`, () => disc(diameter));
    this.#centre(surface, mask, rect, discOf(participantId));
    const size = Math.round(diameter * 0.42);
    const letters = initials(label);
    if (letters === '') return;
    const text = this.#masks.get(`text ${size} ${letters}`, () => write(letters, size, diameter));
    this.#centre(surface, text, rect, WHITE);
  }

  #centre(surface: Surface, mask: ReturnType<Masks['get']>, rect: Rect, colour: typeof WHITE): void {
    const width = Math.min(mask.width, rect.width);
    const height = Math.min(mask.height, rect.height);
    const x = rect.x + evenBelow((rect.width - width) / 2);
    const y = rect.y + evenBelow((rect.height - height) / 2);
    surface.paint(x, y, mask, colour, { width, height });
  }

  #stalled(surface: Surface, rect: Rect): void {
    surface.grey(rect);
    surface.tint(rect, BLACK, STALLED_SHARE);
    const size = Math.max(8, even(Math.min(rect.width, rect.height) * 0.25));
    if (size > Math.min(rect.width, rect.height)) return;
    this.#centre(
      surface,
      this.#masks.get(`stalled ${size}`, () => stalledSign(size)),
      rect,
      WHITE,
    );
  }

  #frame(surface: Surface, { x, y, width, height }: Rect): void {
    const thick = frameWidth({ x, y, width, height });
    if (width <= 2 * thick || height <= 2 * thick) return;
    surface.fill({ x, y, width, height: thick }, SPEAKING);
    surface.fill({ x, y: y + height - thick, width, height: thick }, SPEAKING);
    surface.fill({ x, y, width: thick, height }, SPEAKING);
    surface.fill({ x: x + width - thick, y, width: thick, height }, SPEAKING);
  }

  /** Name and, when muted, the sign for it, on a dark pill in the lower left corner. */
  #label(surface: Surface, { label, muted }: Tile, rect: Rect): void {
    const size = labelSize(rect, this.#canvasHeight);
    const margin = even(size / 2);
    const padding = even(size / 3);
    const height = even(lineHeight(size));
    const room = evenBelow(rect.width - 2 * margin);
    if (room < 3 * size || height + 2 * margin > rect.height) return;
    const sign = muted ? even(size) : 0;
    const most = Math.max(size, evenBelow(room - 2 * padding - sign));
    const step = most > LABEL_STEP ? most - (most % LABEL_STEP) : most;
    const text = this.#masks.get(`label ${size} ${step} ${label}`, () => write(label, size, step));
    const width = Math.min(room, 2 * padding + sign + text.width);
    const x = rect.x + margin;
    const y = rect.y + rect.height - margin - height;
    const box = this.#masks.get(`pill ${width} ${height}`, () => pill(width, height, height / 4));
    surface.paint(x, y, box, BLACK, { share: LABEL_SHARE });
    if (muted) {
      const mask = this.#masks.get(`muted ${sign}`, () => mutedSign(sign));
      surface.paint(x + evenBelow(padding / 2), y + evenBelow((height - sign) / 2), mask, WHITE);
    }
    const used = Math.min(text.width, width - 2 * padding - sign);
    if (used > 0) {
      surface.paint(x + padding + sign, y, text, WHITE, {
        width: used,
        height: Math.min(text.height, height),
      });
    }
  }

  #round(surface: Surface, { x, y, width, height }: Rect): void {
    const radius = Math.min(this.#corners, evenBelow(Math.min(width, height) / 2));
    if (radius < 2) return;
    const mask = (turn: number) =>
      this.#masks.get(`corner ${radius} ${turn}`, () => turned(outsideCorner(radius), turn));
    const right = x + width - radius;
    const bottom = y + height - radius;
    for (const [turn, [left, top]] of [
      [x, y],
      [right, y],
      [x, bottom],
      [right, bottom],
    ].entries()) {
      surface.paint(left!, top!, mask(turn), BACKGROUND);
    }
  }
}

/** A square mask mirrored: bit 0 left to right, bit 1 top to bottom. */
function turned(mask: ReturnType<typeof disc>, turn: number): ReturnType<typeof disc> {
  const { width, height, data } = mask;
  const mirrored = data.map((_, index) => {
    const x = index % width;
    const y = (index - x) / width;
    return data[(turn & 2 ? height - 1 - y : y) * width + (turn & 1 ? width - 1 - x : x)]!;
  });
  return { width, height, data: mirrored };
}

/** What of a rectangle is not in another inside of it. */
function around(outer: Rect, inner: Rect): Rect[] {
  const { x, y, width, height } = outer;
  const top = inner.y - y;
  const left = inner.x - x;
  const right = x + width - inner.x - inner.width;
  const bottom = y + height - inner.y - inner.height;
  return [
    { x, y, width, height: top },
    { x, y: y + height - bottom, width, height: bottom },
    { x, y: inner.y, width: left, height: inner.height },
    { x: x + width - right, y: inner.y, width: right, height: inner.height },
  ].filter((rect) => rect.width > 0 && rect.height > 0);
}

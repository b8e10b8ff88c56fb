import { DrawFuncs } from 'harfbuzzjs';
import { type Line, layOut, layOutWithin } from './line.ts';
import { type Mask, OutlineRaster } from './outline.ts';

/** Ems above and below the baseline that a line has room for: Thai and Devanagari need more than Latin. */
const ASCENT = 1.05;
const DESCENT = 0.35;

interface Pen {
  readonly raster: OutlineRaster;
  /** Pixels for a unit of the font. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

const outlines = new DrawFuncs();
outlines.setMoveToFunc((x, y, pen) => {
  const { raster, ...to } = pen as Pen;
  raster.moveTo(to.x + x * to.scale, to.y - y * to.scale);
});
outlines.setLineToFunc((x, y, pen) => {
  const { raster, ...to } = pen as Pen;
  raster.lineTo(to.x + x * to.scale, to.y - y * to.scale);
});
outlines.setQuadraticToFunc((cx, cy, x, y, pen) => {
  const { raster, ...to } = pen as Pen;
  raster.quadraticTo(to.x + cx * to.scale, to.y - cy * to.scale, to.x + x * to.scale, to.y - y * to.scale);
});
outlines.setCubicToFunc((ax, ay, bx, by, x, y, pen) => {
  const { raster, ...to } = pen as Pen;
  raster.cubicTo(
    to.x + ax * to.scale,
    to.y - ay * to.scale,
    to.x + bx * to.scale,
    to.y - by * to.scale,
    to.x + x * to.scale,
    to.y - y * to.scale,
  );
});
outlines.setClosePathFunc((pen) => (pen as Pen).raster.close());

/** Pixels from a line's top to its bottom. */
export function lineHeight(size: number): number {
  return Math.ceil((ASCENT + DESCENT) * size);
}

/**
 * Writes a text on one line.
 *
 * @param size pixels of an em
 * @param maxWidth pixels; a longer text ends in an ellipsis, and is empty where not even that has room
 */
export function write(text: string, size: number, maxWidth = Number.POSITIVE_INFINITY): Mask {
  const line = Number.isFinite(maxWidth) ? layOutWithin(text, maxWidth / size) : layOut(text);
  return draw(line, size);
}

function draw({ glyphs, width }: Line, size: number): Mask {
  const raster = new OutlineRaster(Math.max(1, Math.ceil(width * size)), lineHeight(size));
  const baseline = Math.round(ASCENT * size);
  for (const { font, glyph, scale, x, y } of glyphs) {
    const pen: Pen = { raster, scale: scale * size, x: x * size, y: baseline - y * size };
    font.drawGlyph(glyph, outlines, pen);
  }
  return raster.mask();
}

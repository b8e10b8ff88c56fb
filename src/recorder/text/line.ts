import { Direction, type Font, Buffer as ShapingBuffer, shape } from 'harfbuzzjs';
import { graphemes, printable, type Run, visualRuns } from './runs.ts';

/** A glyph on its line; lengths are ems, to the right and up from the start of the baseline. */
export interface PlacedGlyph {
  readonly font: Font;
  readonly glyph: number;
  /** Ems for a unit of the font's outlines. */
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly glyphs: readonly PlacedGlyph[];
  /** Ems. */
  readonly width: number;
}

/** Places the glyphs of a text on one line, whatever its scripts. */
export function layOut(text: string): Line {
  const glyphs: PlacedGlyph[] = [];
  let width = 0;
  for (const run of visualRuns(printable(text))) width = append(run, width, glyphs);
  return { glyphs, width };
}

/** The line of a text, cut at its end with an ellipsis where it is wider than so many ems. */
export function layOutWithin(text: string, maxWidth: number): Line {
  const whole = layOut(text);
  if (whole.width <= maxWidth) return whole;
  const characters = graphemes(printable(text));
  const cut = (count: number) => layOut(`${characters.slice(0, count).join('').trimEnd()}…`);
  let fits = 0;
  for (let tooMany = characters.length; tooMany - fits > 1; ) {
    const middle = (fits + tooMany) >> 1;
    if (cut(middle).width <= maxWidth) fits = middle;
    else tooMany = middle;
  }
  const line = cut(fits);
  return line.width <= maxWidth ? line : { glyphs: [], width: 0 };
}

/** Adds a run's glyphs from `start` on and gives where it ends. */
function append(
  { text, font: { font, unitsPerEm }, rightToLeft }: Run,
  start: number,
  to: PlacedGlyph[],
): number {
  const buffer = new ShapingBuffer();
  buffer.addText(text);
  buffer.guessSegmentProperties();
  buffer.setDirection(rightToLeft ? Direction.RTL : Direction.LTR);
  shape(font, buffer);
  const positions = buffer.getGlyphPositions();
  const scale = 1 / unitsPerEm;
  let x = start;
  for (const [index, { codepoint }] of buffer.getGlyphInfos().entries()) {
    const { xAdvance = 0, xOffset = 0, yOffset = 0 } = positions[index]!;
    to.push({ font, glyph: codepoint, scale, x: x + xOffset * scale, y: yOffset * scale });
    x += xAdvance * scale;
  }
  return x;
}

import bidiFactory from 'bidi-js';
import { fontFor, type LoadedFont, mainFont } from './fonts.ts';

// Its types are those of its module for bundlers; what Node loads is the factory itself.
const bidi = (bidiFactory as unknown as typeof bidiFactory.default)();
const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** A piece of text in one font and direction. */
export interface Run {
  readonly text: string;
  readonly font: LoadedFont;
  readonly rightToLeft: boolean;
}

/** What a reader takes for single characters. */
export function graphemes(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/**
 * Text on one line as it may be drawn: no control characters and none that turn the direction, with which one name
 * could pass for another.
 */
export function printable(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, ' ')
    .replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .trim();
}

interface Piece {
  readonly text: string;
  readonly font: LoadedFont;
  readonly level: number;
}

/** Runs from left to right as they are seen (Unicode Bidirectional Algorithm, UAX 9). */
export function visualRuns(text: string): Run[] {
  const { levels } = bidi.getEmbeddingLevels(text, 'auto');
  const pieces: Piece[] = [];
  let offset = 0;
  for (const cluster of graphemes(text)) {
    const level = levels[offset]!;
    offset += cluster.length;
    const last = pieces.at(-1);
    const { text: drawn, font } = choose(cluster, last?.font);
    if (last && last.font === font && last.level === level) {
      pieces[pieces.length - 1] = { ...last, text: last.text + drawn };
    } else {
      pieces.push({ text: drawn, font, level });
    }
  }
  return reorder(pieces).map(({ level, ...run }) => ({ ...run, rightToLeft: level % 2 === 1 }));
}

/** A cluster and its font. Fancy letters that no font has are drawn as what they stand for (NFKC). */
function choose(cluster: string, before: LoadedFont | undefined): { text: string; font: LoadedFont } {
  // A space belongs to the word before it; that of the emoji is as wide as they are.
  if (cluster === ' ' && before?.spaced) return { text: cluster, font: before };
  const font = fontFor(cluster);
  if (font) return { text: cluster, font };
  const plain = cluster.normalize('NFKC');
  return { text: plain, font: fontFor(plain) ?? mainFont() };
}

/** UAX 9, rule L2: from the highest level on, what is at that level or higher is turned around. */
function reorder(pieces: Piece[]): Piece[] {
  const order = [...pieces];
  const levels = order.map(({ level }) => level);
  const lowestOdd = Math.min(...levels.filter((level) => level % 2 === 1), Infinity);
  for (let level = Math.max(0, ...levels); level >= lowestOdd; level -= 1) {
    for (let from = 0; from < order.length; from += 1) {
      if (order[from]!.level < level) continue;
      let to = from;
      while (to < order.length && order[to]!.level >= level) to += 1;
      order.splice(from, to - from, ...order.slice(from, to).reverse());
      from = to;
    }
  }
  return order;
}

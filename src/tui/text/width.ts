/** Text measured in terminal columns: full-width characters and emoji take two, combining marks none. */
import stringWidth from 'string-width';

const PRINTABLE_ASCII = /^[ -~]*$/;
const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const ELLIPSIS = '…';

/** Columns that a line takes. */
export function columnsOf(text: string): number {
  return PRINTABLE_ASCII.test(text) ? text.length : stringWidth(text);
}

/** What a person sees as one character each. */
export function clusters(text: string): string[] {
  if (PRINTABLE_ASCII.test(text)) return [...text];
  return Array.from(graphemes.segment(text), ({ segment }) => segment);
}

/** As much of a line as fits, with … where something is left out. */
export function clip(text: string, columns: number): string {
  if (columns <= 0) return '';
  // Nothing wider than its columns times the longest sensible cluster can matter.
  const start = text.slice(0, columns * 32);
  if (start.length === text.length && columnsOf(start) <= columns) return text;
  return `${fitting(clusters(start), columns - 1).join('')}${ELLIPSIS}`;
}

/** The line in exactly so many columns. */
export function fill(text: string, columns: number): string {
  const clipped = clip(text, columns);
  return clipped + ' '.repeat(Math.max(0, columns - columnsOf(clipped)));
}

/** The line at the right of exactly so many columns. */
export function fillStart(text: string, columns: number): string {
  const clipped = clip(text, columns);
  return ' '.repeat(Math.max(0, columns - columnsOf(clipped))) + clipped;
}

/** The leading clusters that fit into so many columns. */
function fitting(parts: readonly string[], columns: number): string[] {
  const taken: string[] = [];
  let used = 0;
  for (const part of parts) {
    used += columnsOf(part);
    if (used > columns) break;
    taken.push(part);
  }
  return taken;
}

/** Breaks a line between words, and within a word that is too long; nothing but the spaces at a break is lost. */
export function wrap(text: string, columns: number): string[] {
  if (columnsOf(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const word of text.match(/ +|[^ ]+/g) ?? []) {
    const width = columnsOf(word);
    if (used + width <= columns) {
      line += word;
      used += width;
      continue;
    }
    if (word.startsWith(' ')) {
      lines.push(line);
      line = '';
      used = 0;
      continue;
    }
    if (used > 0 && width <= columns) {
      lines.push(line.trimEnd());
      line = word;
      used = width;
      continue;
    }
    for (const cluster of clusters(word)) {
      const wide = columnsOf(cluster);
      if (used + wide > columns && used > 0) {
        lines.push(line.trimEnd());
        line = '';
        used = 0;
      }
      line += cluster;
      used += wide;
    }
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}

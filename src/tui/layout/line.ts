/** Lines of the screen as data: text in pieces, each with what it means; colours come when they are drawn. */
import { clip, columnsOf } from '../text/width.ts';

export type Style =
  | 'dim'
  | 'bold'
  | 'name'
  | 'own-name'
  | 'mention'
  | 'private'
  | 'good'
  | 'warning'
  | 'bad'
  | 'live'
  | 'bar';

export interface Segment {
  readonly text: string;
  readonly style?: Style;
}

export type Line = readonly Segment[];

export const segment = (text: string, style?: Style): Segment =>
  style === undefined ? { text } : { text, style };

export function lineColumns(line: Line): number {
  return line.reduce((sum, { text }) => sum + columnsOf(text), 0);
}

export function lineText(line: Line): string {
  return line.map(({ text }) => text).join('');
}

/** The line in exactly so many columns: cut with …, or with blanks behind it. */
export function fitLine(line: Line, columns: number, style?: Style): Line {
  const fitted: Segment[] = [];
  let left = columns;
  for (const part of line) {
    const width = columnsOf(part.text);
    if (width > left) {
      const text = clip(part.text, left);
      fitted.push({ ...part, text });
      left -= columnsOf(text);
      break;
    }
    fitted.push(part);
    left -= width;
  }
  if (left > 0) fitted.push(segment(' '.repeat(left), style));
  return fitted;
}

/** The whole screen as lines: a function of what there is to show and of the terminal's size. */
import { clusters, columnsOf } from '../text/width.ts';
import type { Place } from '../video/types.ts';
import { fitLine, type Line, segment } from './line.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Where everything goes. */
export interface Regions {
  readonly video: Place | undefined;
  /** Of the messages and of the people beside them; no people where there is no room. */
  readonly bodyRows: number;
  readonly messageColumns: number;
  readonly peopleColumns: number;
  readonly inputRows: number;
}

export interface ScreenParts {
  readonly title: Line;
  /** The last messages last; as many as the region has rows, or fewer. */
  readonly messages: readonly Line[];
  readonly people: readonly Line[];
  /** Who waits, what is going on, or what Tab offers; nothing where there is no such thing. */
  readonly hint: Line | undefined;
  readonly status: Line;
  readonly input: readonly string[];
  /** In the input's lines. */
  readonly cursor: { readonly row: number; readonly column: number };
}

export interface Composed {
  readonly lines: readonly Line[];
  readonly cursor: { readonly x: number; readonly y: number };
}

/** Narrower terminals have no list of people; /who says who is there. */
const PEOPLE_FROM_COLUMNS = 60;
const MIN_PEOPLE_COLUMNS = 28;
const MAX_PEOPLE_COLUMNS = 44;
const PEOPLE_PART = 0.25;
/** Rows of title, hint and status. */
const FRAME_ROWS = 3;
const MAX_INPUT_ROWS = 6;
/** Messages keep so many rows beside pictures. */
const MIN_BODY_ROWS = 7;
const VIDEO_PART = 0.6;
const SEPARATOR = '│';
export const PROMPT = '> ';
const CONTINUED = '  ';

/** @param inputRows rows that the input would like to have */
export function divide({ columns, rows }: Size, inputRows: number, video: boolean): Regions {
  const input = Math.max(1, Math.min(inputRows, MAX_INPUT_ROWS, rows - FRAME_ROWS - 1));
  const room = Math.max(1, rows - FRAME_ROWS - input);
  const videoRows = video ? Math.max(0, Math.min(Math.floor(room * VIDEO_PART), room - MIN_BODY_ROWS)) : 0;
  const peopleColumns =
    columns < PEOPLE_FROM_COLUMNS
      ? 0
      : Math.min(MAX_PEOPLE_COLUMNS, Math.max(MIN_PEOPLE_COLUMNS, Math.floor(columns * PEOPLE_PART)));
  return {
    video: videoRows < 2 ? undefined : { left: 0, top: 1, columns, rows: videoRows },
    bodyRows: videoRows < 2 ? room : room - videoRows,
    messageColumns: peopleColumns === 0 ? columns : columns - peopleColumns - 1,
    peopleColumns,
    inputRows: input,
  };
}

/** Puts the parts together, every line as wide as the terminal. */
export function compose(size: Size, regions: Regions, parts: ScreenParts): Composed {
  const { columns, rows } = size;
  const { video, bodyRows, messageColumns, peopleColumns, inputRows } = regions;
  const blank = fitLine([], columns);
  const body = Array.from({ length: bodyRows }, (_, row): Line => {
    const message = parts.messages[row - (bodyRows - parts.messages.length)] ?? [];
    if (peopleColumns === 0) return fitLine(message, columns);
    return [
      ...fitLine(message, messageColumns),
      segment(SEPARATOR, 'dim'),
      ...fitLine(parts.people[row] ?? [], peopleColumns),
    ];
  });
  const lines = [
    fitLine(parts.title, columns),
    ...Array.from({ length: video?.rows ?? 0 }, () => blank),
    ...body,
    fitLine(parts.hint ?? [], columns),
    fitLine(parts.status, columns, 'bar'),
    ...inputLines(parts, inputRows, columns),
  ].slice(0, rows);
  const scrolled = Math.max(0, parts.cursor.row - inputRows + 1);
  return {
    lines,
    cursor: {
      x: Math.min(columns - 1, PROMPT.length + parts.cursor.column),
      y: Math.min(rows - 1, lines.length - inputRows + parts.cursor.row - scrolled),
    },
  };
}

/** The rows of the input around the cursor. */
function inputLines({ input, cursor }: ScreenParts, rows: number, columns: number): Line[] {
  const scrolled = Math.max(0, cursor.row - rows + 1);
  return Array.from({ length: rows }, (_, row) => {
    const index = row + scrolled;
    return fitLine([segment(index === 0 ? PROMPT : CONTINUED, 'dim'), segment(input[index] ?? '')], columns);
  });
}

/** The rows that a text takes in the input, broken where the line ends, and where its cursor stands in them. */
export function inputRows(
  text: string,
  cursorAt: number,
  columns: number,
): { readonly rows: string[]; readonly cursor: { readonly row: number; readonly column: number } } {
  const room = Math.max(2, columns - PROMPT.length - 1);
  const rows: string[] = [];
  let row = '';
  let used = 0;
  let at = 0;
  let cursor: { row: number; column: number } | undefined;
  const next = () => {
    rows.push(row);
    row = '';
    used = 0;
  };
  for (const cluster of clusters(text)) {
    const width = columnsOf(cluster);
    if (used + width > room) next();
    if (at === cursorAt) cursor = { row: rows.length, column: used };
    if (cluster === '\n') next();
    else {
      row += cluster;
      used += width;
    }
    at += cluster.length;
  }
  cursor ??= { row: rows.length, column: used };
  next();
  return { rows, cursor };
}

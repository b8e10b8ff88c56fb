/** Which videos are shown and where on the screen. */
import type { Place } from './types.ts';

/** A video that could be shown. */
export interface VideoCandidate {
  readonly trackId: string;
  readonly participantId: string;
  readonly source: string;
  /** The server sends it. */
  readonly sent: boolean;
}

export interface StageOptions {
  /** `speaker` shows one, `gallery` up to four. */
  readonly layout: 'speaker' | 'gallery';
  readonly pinnedId: string | undefined;
  /** Ids, the active speaker first. */
  readonly speakers: readonly string[];
}

export const GALLERY_TILES = 4;
/** Pictures are wide-screen: 180 lines of 320 pixels is what the lowest layer has. */
const ASPECT = 16 / 9;
/** Height of a cell in its widths, where the terminal does not say. */
const CELL_ASPECT = 2;
const LABEL_ROWS = 1;

/** The videos to show, the most important first: what is pinned, screens, who speaks, then the others as they came. */
export function choose(
  candidates: readonly VideoCandidate[],
  { layout, pinnedId, speakers }: StageOptions,
): VideoCandidate[] {
  const rank = ({ participantId, source }: VideoCandidate): number => {
    if (participantId === pinnedId) return -2;
    if (source === 'screen') return -1;
    const speaking = speakers.indexOf(participantId);
    return speaking === -1 ? speakers.length : speaking;
  };
  const chosen = candidates
    .filter(({ sent }) => sent)
    .map((candidate, index) => ({ candidate, index, rank: rank(candidate) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .slice(0, layout === 'speaker' ? 1 : GALLERY_TILES);
  // In a gallery tiles keep their places when others speak.
  if (layout === 'gallery') chosen.sort((a, b) => a.index - b.index);
  return chosen.map(({ candidate }) => candidate);
}

export interface Tile {
  /** The picture's place. */
  readonly picture: Place;
  /** The place of the name below it. */
  readonly label: Place;
}

/** Places so many pictures in an area: one fills it, two stand side by side, more are in two rows. */
export function placeTiles(
  count: number,
  area: Place,
  cell: { readonly width: number; readonly height: number } | undefined,
): Tile[] {
  if (count === 0) return [];
  const across = count === 1 ? 1 : 2;
  const down = Math.ceil(count / across);
  const columns = Math.floor(area.columns / across);
  const rows = Math.floor(area.rows / down);
  const widthsInHeight = cell ? cell.height / cell.width : CELL_ASPECT;
  return Array.from({ length: count }, (_, index) => {
    const left = area.left + (index % across) * columns;
    const top = area.top + Math.floor(index / across) * rows;
    return placeTile({ left, top, columns, rows }, widthsInHeight);
  });
}

/** The largest picture that fits, in the middle, with the name below it. */
function placeTile({ left, top, columns, rows }: Place, widthsInHeight: number): Tile {
  const room = Math.max(1, rows - LABEL_ROWS);
  const width = Math.max(1, Math.min(columns, Math.round(room * widthsInHeight * ASPECT)));
  const height = Math.max(1, Math.min(room, Math.round(width / ASPECT / widthsInHeight)));
  const x = left + Math.floor((columns - width) / 2);
  return {
    picture: { left: x, top, columns: width, rows: height },
    label: { left: x, top: top + height, columns: width, rows: LABEL_ROWS },
  };
}

/** What is shared of a machine's screens, as a user says it. */
import { MeetError } from '../../protocol/errors.ts';
import type { Size } from './pixels.ts';

export interface Region extends Size {
  /** Of the upper left corner, pixels from that of the display. */
  readonly x: number;
  readonly y: number;
}

/** A part of what a machine shows. */
export interface ScreenTarget {
  /** X11: the display, such as `:0`; Windows and macOS have one desktop. */
  readonly display?: string;
  /** The window's id, or part of its title. */
  readonly window?: string;
  /** Number of the monitor, from 0. */
  readonly monitor?: number;
  readonly region?: Region;
  /** Draws the pointer. */
  readonly cursor: boolean;
}

/**
 * Reads `1280x720+100+50`; without an offset the upper left corner.
 *
 * @throws MeetError `bad-config`
 */
export function parseRegion(text: string): Region {
  const match = /^(\d{1,5})x(\d{1,5})(?:\+(\d{1,5})\+(\d{1,5}))?$/.exec(text.trim());
  const [width = 0, height = 0, x = 0, y = 0] = match ? match.slice(1).map((part) => Number(part ?? 0)) : [];
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new MeetError('bad-config', `"${text}" is no part of a screen.`, {
      hint: `Give its size and where it begins, such as 1280x720+100+50; no side is below ${MIN_SIDE}.`,
    });
  }
  return { width, height, x, y };
}

/** Encoders and eyes need some pixels. */
export const MIN_SIDE = 16;

/**
 * The part of a region that lies on a screen, with even sides.
 *
 * @throws MeetError `bad-config` when too little of it does
 */
export function clip(region: Region, screen: Region): Region {
  const x = Math.max(region.x, screen.x);
  const y = Math.max(region.y, screen.y);
  const width = Math.floor((Math.min(region.x + region.width, screen.x + screen.width) - x) / 2) * 2;
  const height = Math.floor((Math.min(region.y + region.height, screen.y + screen.height) - y) / 2) * 2;
  if (width < MIN_SIDE || height < MIN_SIDE) {
    throw new MeetError(
      'bad-config',
      `What is to be shared, ${describe(region)}, is not on the screen, which is ${describe(screen)}.`,
    );
  }
  return { x, y, width, height };
}

const describe = ({ width, height, x, y }: Region): string => `${width}x${height}+${x}+${y}`;

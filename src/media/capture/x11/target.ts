/** Finds what is to be shared on an X display. */
import { MeetError } from '../../../protocol/errors.ts';
import { clip, type Region, type ScreenTarget } from '../target.ts';
import type { X11Connection } from './connection.ts';
import { geometryOf, isViewable, listMonitors, listWindows, type X11Window } from './requests.ts';

export interface X11Place {
  /** What is captured: of the window, where that is captured as such, else of the display. */
  readonly region: Region;
  /** The window whose pixels are captured, whatever lies on top of it. */
  readonly windowId?: number;
  /** The window whose size, place and end decide; the root where none was named. */
  readonly watchedId: number;
}

/**
 * Where the target is now; `undefined` while its window cannot be seen.
 *
 * @param byId the ffmpeg at hand captures a window as such; else it gets the window's place
 * @throws MeetError `device-unusable` when the window is gone, `bad-config` when there is no such part of the display
 */
export async function placeOf(
  connection: X11Connection,
  target: ScreenTarget,
  windowId: number | undefined,
  byId: boolean,
): Promise<X11Place | undefined> {
  const { root } = connection;
  const screen = await geometryOf(connection, root.id);
  if (windowId === undefined) {
    const whole = target.monitor === undefined ? screen : await monitor(connection, target.monitor);
    const { region = { ...whole, x: 0, y: 0 } } = target;
    const placed = { ...region, x: whole.x + region.x, y: whole.y + region.y };
    return { region: clip(placed, screen), watchedId: root.id };
  }
  const window = await geometryOf(connection, windowId).catch(() => undefined);
  if (window === undefined) throw new MeetError('device-unusable', 'The window that was shared is closed.');
  if (!(await isViewable(connection, windowId).catch(() => false))) return undefined;
  // What hangs over the edge of the screen has no pixels.
  const visible = clip(window, screen);
  if (!byId) return { region: visible, watchedId: windowId };
  const inside = { ...visible, x: visible.x - window.x, y: visible.y - window.y };
  return { region: inside, windowId, watchedId: windowId };
}

async function monitor(connection: X11Connection, number: number): Promise<Region> {
  const monitors = await listMonitors(connection);
  const found = monitors[number];
  if (found) return found;
  const count = monitors.length === 1 ? 'one monitor, number 0' : `${monitors.length} monitors, from 0`;
  throw new MeetError('bad-config', `There is no monitor ${number}: the display has ${count}.`, {
    hint: '`meet devices` lists them.',
  });
}

/**
 * The id of the window that a user means by an id (`0x1c00007`, `29360135`) or by a part of its title.
 *
 * @throws MeetError `bad-config` when none or several fit
 */
export async function findWindow(connection: X11Connection, words: string): Promise<number> {
  if (/^(0x[0-9a-f]+|\d+)$/i.test(words)) {
    const id = Number(words);
    if (await geometryOf(connection, id).catch(() => undefined)) return id;
    throw noWindow(`There is no window with the id ${words}.`);
  }
  const windows = await listWindows(connection);
  const matches = matching(windows, words);
  if (matches.length === 1) return matches[0]!.id;
  if (matches.length === 0) throw noWindow(`No window has "${words}" in its title.`);
  const titles = matches.map(({ id, title }) => `0x${id.toString(16)} ${title}`).slice(0, 5);
  throw noWindow(`Several windows have "${words}" in their title: ${titles.join('; ')}.`);
}

/** A title that is exactly so comes before those that have it somewhere. */
function matching(windows: readonly X11Window[], words: string): X11Window[] {
  const wanted = words.toLowerCase();
  const exact = windows.filter(({ title }) => title.toLowerCase() === wanted);
  return exact.length > 0 ? exact : windows.filter(({ title }) => title.toLowerCase().includes(wanted));
}

const noWindow = (message: string) =>
  new MeetError('bad-config', message, { hint: '`meet devices` lists the windows with their ids.' });

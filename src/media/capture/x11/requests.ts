/** The few requests of the X protocol and of RandR that tell what there is to share. */
import type { Region } from '../target.ts';
import type { X11Connection } from './connection.ts';

const OPCODE = {
  changeWindowAttributes: 2,
  getWindowAttributes: 3,
  getGeometry: 14,
  queryTree: 15,
  internAtom: 16,
  getAtomName: 17,
  getProperty: 20,
  translateCoordinates: 40,
  queryExtension: 98,
} as const;

/** RandR 1.5 has monitors; GetMonitors is its request 42. */
const RANDR = { queryVersion: 0, getMonitors: 42, major: 1, minor: 5 } as const;

const EVENT_MASK = 1 << 11;
const STRUCTURE_NOTIFY = 1 << 17;
const MAP_STATE_VIEWABLE = 2;
/** Longest property that is read, in words of four bytes. */
const MAX_PROPERTY = 16_384;
/** How deep windows of applications lie below the root where no window manager lists them: frames have one level. */
const MAX_DEPTH = 3;

/** Kinds of events that `watchWindow` brings; the window that they are about stands at byte 8. */
export const EVENT = { destroy: 17, unmap: 18, map: 19, configure: 22 } as const;

export interface X11Window extends Region {
  readonly id: number;
  readonly title: string;
}

export interface X11Monitor extends Region {
  readonly name: string;
  readonly primary: boolean;
}

const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

const text = (value: string): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16LE(value.length);
  return Buffer.concat([head, Buffer.from(value, 'latin1')]);
};

/** Where a window is on its screen; rejects when there is none. */
export async function geometryOf(connection: X11Connection, id: number): Promise<Region> {
  const [geometry, place] = await Promise.all([
    connection.ask(OPCODE.getGeometry, 0, word(id)),
    connection.ask(OPCODE.translateCoordinates, 0, word(id), word(connection.root.id), word(0)),
  ]);
  return {
    x: place.readInt16LE(12),
    y: place.readInt16LE(14),
    width: geometry.readUInt16LE(16),
    height: geometry.readUInt16LE(18),
  };
}

/** Whether a window can be seen; rejects when there is none. */
export async function isViewable(connection: X11Connection, id: number): Promise<boolean> {
  const attributes = await connection.ask(OPCODE.getWindowAttributes, 0, word(id));
  return attributes[26] === MAP_STATE_VIEWABLE;
}

/** Asks for events about a window's size, place and end. */
export function watchWindow(connection: X11Connection, id: number): void {
  connection.tell(OPCODE.changeWindowAttributes, 0, word(id), word(EVENT_MASK), word(STRUCTURE_NOTIFY));
}

/** The windows of applications that can be seen, those with a title. */
export async function listWindows(connection: X11Connection): Promise<X11Window[]> {
  const { root } = connection;
  const listed = await property(connection, root.id, '_NET_CLIENT_LIST');
  const ids = listed.length > 0 ? wordsOf(listed) : await descendants(connection, root.id, MAX_DEPTH);
  const windows = await Promise.all(
    ids.map(async (id) => {
      try {
        const title = await titleOf(connection, id);
        if (title === '' || !(await isViewable(connection, id))) return undefined;
        return { id, title, ...(await geometryOf(connection, id)) };
      } catch {
        // It was closed meanwhile.
        return undefined;
      }
    }),
  );
  return windows.filter((window) => window !== undefined);
}

async function titleOf(connection: X11Connection, id: number): Promise<string> {
  const modern = await property(connection, id, '_NET_WM_NAME');
  const title =
    modern.length > 0
      ? modern.toString('utf8')
      : (await property(connection, id, 'WM_NAME')).toString('latin1');
  return title.replaceAll(/\p{Cc}+/gu, ' ').trim();
}

/** The monitors, the primary first; one for the whole screen where RandR is missing or too old. */
export async function listMonitors(connection: X11Connection): Promise<X11Monitor[]> {
  const { root } = connection;
  const whole = { ...(await geometryOf(connection, root.id)), name: 'screen', primary: true };
  const extension = await connection.ask(OPCODE.queryExtension, 0, text('RANDR'));
  if (extension[8] === 0) return [whole];
  const opcode = extension[9]!;
  const version = await connection.ask(opcode, RANDR.queryVersion, word(RANDR.major), word(RANDR.minor));
  if (version.readUInt32LE(8) === RANDR.major && version.readUInt32LE(12) < RANDR.minor) return [whole];
  const reply = await connection.ask(opcode, RANDR.getMonitors, word(root.id), word(1));
  const monitors: X11Monitor[] = [];
  for (let at = 32, left = reply.readUInt32LE(12); left > 0; left -= 1) {
    const name = await connection.ask(OPCODE.getAtomName, 0, word(reply.readUInt32LE(at)));
    monitors.push({
      name: name.subarray(32, 32 + name.readUInt16LE(8)).toString('latin1'),
      primary: reply[at + 4] === 1,
      x: reply.readInt16LE(at + 8),
      y: reply.readInt16LE(at + 10),
      width: reply.readUInt16LE(at + 12),
      height: reply.readUInt16LE(at + 14),
    });
    at += 24 + reply.readUInt16LE(at + 6) * 4;
  }
  if (monitors.length === 0) return [whole];
  return monitors.sort((a, b) => Number(b.primary) - Number(a.primary));
}

async function property(connection: X11Connection, id: number, name: string): Promise<Buffer> {
  const atom = await connection.ask(OPCODE.internAtom, 1, text(name));
  const key = atom.readUInt32LE(8);
  if (key === 0) return Buffer.alloc(0);
  const any = word(0);
  const reply = await connection.ask(
    OPCODE.getProperty,
    0,
    word(id),
    word(key),
    any,
    word(0),
    word(MAX_PROPERTY),
  );
  const bytes = reply.readUInt32LE(16) * ((reply[1] ?? 0) / 8);
  return reply.subarray(32, 32 + bytes);
}

async function descendants(connection: X11Connection, id: number, depth: number): Promise<number[]> {
  if (depth === 0) return [];
  const reply = await connection.ask(OPCODE.queryTree, 0, word(id)).catch(() => undefined);
  if (reply === undefined) return [];
  const children = wordsOf(reply.subarray(32, 32 + reply.readUInt16LE(16) * 4));
  const below = await Promise.all(children.map((child) => descendants(connection, child, depth - 1)));
  return [...children, ...below.flat()];
}

const wordsOf = (bytes: Buffer): number[] =>
  Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => bytes.readUInt32LE(index * 4));

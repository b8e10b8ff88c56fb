/** Where an X server listens, and the cookie that it lets clients in by. */
import { readFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import { MeetError } from '../../../protocol/errors.ts';

export interface X11Display {
  /** Absent for a display of this machine. */
  readonly host?: string;
  readonly number: number;
  readonly screen: number;
}

/** Displays of other machines listen on ports from here on. */
export const FIRST_PORT = 6_000;

/**
 * Reads `:0`, `:0.1` or `host:10.0`.
 *
 * @throws MeetError `bad-config`
 */
export function parseDisplay(text: string): X11Display {
  const match = /^(?:unix\/?)?([^:]*):(\d{1,5})(?:\.(\d{1,3}))?$/.exec(text);
  if (!match) {
    throw new MeetError('bad-config', `"${text}" is not an X display.`, {
      hint: 'It looks like :0; `echo $DISPLAY` on the desktop shows it.',
    });
  }
  const host = match[1];
  return {
    ...(host ? { host } : {}),
    number: Number(match[2]),
    screen: Number(match[3] ?? 0),
  };
}

export interface Cookie {
  readonly name: string;
  readonly data: Buffer;
}

const FAMILY_LOCAL = 256;
const FAMILY_WILD = 65_535;

/** The cookie for a display out of an Xauthority file; `undefined` where there is none and the server asks for none. */
export async function readCookie(display: X11Display, path?: string): Promise<Cookie | undefined> {
  try {
    return findCookie(await readFile(path ?? join(homedir(), '.Xauthority')), display);
  } catch {
    return undefined;
  }
}

/** Entries of an Xauthority file are family, address, number, name and data, each with its length (Xau(3)). */
export function findCookie(file: Buffer, { host, number }: X11Display): Cookie | undefined {
  let at = 0;
  const field = (): Buffer => {
    const size = file.readUInt16BE(at);
    at += 2 + size;
    return file.subarray(at - size, at);
  };
  while (at + 2 < file.length) {
    const family = file.readUInt16BE(at);
    at += 2;
    const address = field().toString('latin1');
    const numberText = field().toString('latin1');
    const name = field().toString('latin1');
    const data = field();
    const here =
      family === FAMILY_WILD || (family === FAMILY_LOCAL ? isLocal(address, host) : host !== undefined);
    const fits = numberText === '' || Number(numberText) === number;
    if (here && fits && name === 'MIT-MAGIC-COOKIE-1') return { name, data };
  }
  return undefined;
}

const isLocal = (address: string, host: string | undefined): boolean =>
  (host === undefined || host === 'localhost' || host === hostname()) && address === hostname();

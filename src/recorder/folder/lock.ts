/** One process at a time works on a recording. */
import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { Value } from 'typebox/value';
import { saveError } from '../../media/save/index.ts';
import { MeetError } from '../../protocol/errors.ts';
import { isRunning, ownIdentity, ProcessIdentity } from './process-identity.ts';

const LOCK = 'lock';
/** The owner touches its lock so often, for those who cannot see its process. */
const TOUCH_INTERVAL_MS = 10_000;
/** A lock of another machine that was not touched for so long has no owner any more. */
const ABANDONED_MS = 60_000;
/** Others that take the same stale lock over at the same time make another attempt needed. */
const MAX_ATTEMPTS = 20;

/** The right to change what a lock file stands for; made by `lockFile` and `lockFolder`. */
export class FileLock {
  readonly #path: string;
  readonly #text: string;
  readonly #touching: NodeJS.Timeout;
  #released: Promise<void> | undefined;

  /** @internal Use `lockFile`. */
  constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
    this.#touching = setInterval(() => {
      const now = new Date();
      utimes(path, now, now).catch(() => undefined);
    }, TOUCH_INTERVAL_MS).unref();
  }

  /** May be called twice. */
  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    clearInterval(this.#touching);
    // Only our own: after a long sleep of this machine another one may have taken it over.
    if ((await readText(this.#path)) === this.#text) await rm(this.#path, { force: true });
  }
}

/** Takes the lock of a recording's folder. @throws MeetError as `lockFile` */
export function lockFolder(folder: string): Promise<FileLock> {
  return lockFile(join(folder, LOCK), `The recording ${basename(folder)}`);
}

/**
 * Takes a lock. One whose process has died is taken over.
 *
 * @param what what the lock is of, as the beginning of a sentence
 * @throws MeetError `recording-busy` while another process has it, `disk-full`, `no-permission`
 */
export async function lockFile(path: string, what: string): Promise<FileLock> {
  const text = `${JSON.stringify({ ...(await ownIdentity()), key: randomUUID() })}\n`;
  for (let attempt = 1; ; attempt++) {
    try {
      if (await createWith(path, text)) return new FileLock(path, text);
    } catch (error) {
      throw saveError(path, error);
    }
    const found = await readText(path);
    if (found === undefined) continue;
    const owner = parseOwner(found);
    if (attempt === MAX_ATTEMPTS || (await isHeld(path, owner))) {
      const who = owner?.host === hostname() ? `process ${owner.pid}` : `a process on ${owner?.host ?? '?'}`;
      throw new MeetError('recording-busy', `${what} is in use by ${who}.`, {
        hint: 'Wait until it has finished, or end it.',
      });
    }
    await removeStale(path, found);
  }
}

/** Whether a process works on the folder. */
export async function isLocked(folder: string): Promise<boolean> {
  const path = join(folder, LOCK);
  const text = await readText(path);
  return text !== undefined && (await isHeld(path, parseOwner(text)));
}

/** A link appears with its content or not at all, so nobody ever reads half a lock. */
async function createWith(path: string, text: string): Promise<boolean> {
  const incoming = `${path}.${randomUUID()}`;
  try {
    await writeFile(incoming, text, { flag: 'wx' });
    await link(incoming, path);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    // A file system without links.
    return await createExclusively(path, text);
  } finally {
    await rm(incoming, { force: true });
  }
}

async function createExclusively(path: string, text: string): Promise<boolean> {
  try {
    await writeFile(path, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isHeld(path: string, owner: ProcessIdentity | undefined): Promise<boolean> {
  const running = owner === undefined ? undefined : await isRunning(owner);
  if (running !== undefined) return running;
  // Of another machine, or not yet written: as old as it was last touched.
  const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: 0 }));
  return Date.now() - mtimeMs < ABANDONED_MS;
}

/** Moves it away first: if it has become another's meanwhile, it is put back. */
async function removeStale(path: string, text: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // Somebody else was faster.
  }
  if ((await readText(aside)) !== text) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}

async function readText(path: string): Promise<string | undefined> {
  return await readFile(path, 'utf8').catch(() => undefined);
}

function parseOwner(text: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(ProcessIdentity, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** How often the holder says that it lives, milliseconds. */
const TOUCH_MS = 5000;
/** Untouched for this long, the holder is gone: it died where we cannot see its pid (another container). */
const STALE_MS = 60_000;
const POLL_MS = 250;

export interface LockHolder {
  readonly pid: number;
  readonly host: string;
  /** Distinguishes this taking of the lock from every other. */
  readonly token: string;
}

export interface LockOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once when another process holds the lock. */
  readonly onWait?: (holder: LockHolder) => void;
  readonly staleMs?: number;
}

/**
 * Keeps two processes from building the same worker at the same time. It saves work, not data: placing the
 * binary is atomic by itself, so a lock that is wrongly taken over costs a second build and nothing else.
 */
export class BuildLock {
  readonly #path: string;
  readonly #holder: LockHolder;
  readonly #touch: NodeJS.Timeout;
  #released = false;

  private constructor(path: string, holder: LockHolder) {
    this.#path = path;
    this.#holder = holder;
    this.#touch = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => {}), TOUCH_MS);
    this.#touch.unref();
  }

  /** Waits until the lock is free or its holder is gone. Rejects with the signal's reason on an abort. */
  static async acquire(path: string, options: LockOptions = {}): Promise<BuildLock> {
    const mine: LockHolder = { pid: process.pid, host: hostname(), token: randomUUID() };
    let told = false;
    for (;;) {
      options.signal?.throwIfAborted();
      if (await place(path, mine)) return new BuildLock(path, mine);
      const state = await inspect(path, options.staleMs ?? STALE_MS);
      if (state === undefined) continue;
      if (state.stale) {
        await evict(path, state.text);
        continue;
      }
      if (!told && state.holder !== undefined) options.onWait?.(state.holder);
      told = true;
      await delay(POLL_MS, undefined, { signal: options.signal }).catch(() => {});
    }
  }

  /** Gives the lock back; does nothing the second time, or when another process has taken it over. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    clearInterval(this.#touch);
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    if (parse(text)?.token === this.#holder.token) await rm(this.#path, { force: true });
  }
}

/** Creates the lock with its content in one step, so that nobody ever reads an empty one. */
async function place(path: string, holder: LockHolder): Promise<boolean> {
  const draft = `${path}.${holder.token}`;
  await writeFile(draft, JSON.stringify(holder));
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function inspect(path: string, staleMs: number) {
  try {
    const [text, { mtimeMs }] = await Promise.all([readFile(path, 'utf8'), stat(path)]);
    const holder = parse(text);
    const dead = holder !== undefined && holder.host === hostname() && !isAlive(holder.pid);
    return { text, holder, stale: dead || Date.now() - mtimeMs > staleMs };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes the stale lock that was read as `text`; a fresh one that came in between is put back. */
async function evict(path: string, text: string): Promise<void> {
  const aside = `${path}.stale-${randomUUID()}`;
  try {
    await rename(path, aside);
    if ((await readFile(aside, 'utf8')) !== text) await link(aside, path).catch(() => {});
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

function parse(text: string): LockHolder | undefined {
  try {
    const value = JSON.parse(text) as Partial<LockHolder>;
    if (typeof value.pid !== 'number' || typeof value.host !== 'string') return undefined;
    return { pid: value.pid, host: value.host, token: String(value.token) };
  } catch {
    return undefined;
  }
}

/** Whether a process with this pid runs here, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest, writeManifest } from './manifest.ts';
import type { EncodedMedia } from './media.ts';
import { RunFile } from './run-file.ts';

/** The cache keeps at most so much; the longest unused goes first. */
const MAX_BYTES = 2 * 1024 ** 3;
/** A folder of an encode that another process may still be at, when the process cannot be asked for. */
const MAX_ENCODE_MS = 24 * 3600 * 1000;

/** Files up to this size are hashed whole, in 0.1 s; of larger ones so many samples of so many bytes. */
const WHOLE_BYTES = 64 * 1024 * 1024;
const SAMPLES = 64;
const SAMPLE_BYTES = 256 * 1024;

const MANIFEST = 'manifest.json';
const FRAMES = 'frames';
/** `<key>.<pid>.<unique>.partial`: a folder that is being written. */
const PARTIAL = /\.(\d+)\.[0-9a-f-]+\.partial$/;

/** A folder that is being filled. */
export interface PartialEntry {
  readonly folder: string;
  readonly file: RunFile;
}

/** Encoded media by key, in a folder that several processes share. */
export class MediaCache {
  readonly folder: string;
  readonly #maxBytes: number;

  constructor(folder: string, options: { maxBytes?: number } = {}) {
    this.folder = folder;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
  }

  /** Largest entry that is worth keeping: half of the cache. */
  get maxEntryBytes(): number {
    return this.#maxBytes / 2;
  }

  /** What is there for a key, with its file open. Damaged entries are removed. */
  async open(key: string): Promise<{ media: EncodedMedia; file: RunFile } | undefined> {
    const folder = join(this.folder, key);
    const text = await readFile(join(folder, MANIFEST), 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    const file = await RunFile.open(join(folder, FRAMES)).catch(() => undefined);
    const media = file && readManifest(text, file);
    if (!file || !media) {
      await file?.close();
      await rm(folder, { recursive: true, force: true });
      return undefined;
    }
    const now = new Date();
    await utimes(folder, now, now).catch(() => {});
    return { media, file };
  }

  /** Makes a folder for a new entry; whoever asks first for a key need not know of others who do. */
  async begin(key: string): Promise<PartialEntry> {
    await mkdir(this.folder, { recursive: true });
    await this.#removeLeftovers();
    const folder = join(this.folder, `${key}.${process.pid}.${randomUUID()}.partial`);
    await mkdir(folder);
    return { folder, file: await RunFile.create(join(folder, FRAMES)) };
  }

  /** Makes a filled folder the entry of its key, unless another process was faster; the file stays open. */
  async commit(key: string, partial: PartialEntry, media: EncodedMedia, ffmpeg: string): Promise<void> {
    await writeFile(join(partial.folder, MANIFEST), writeManifest(media, partial.file, ffmpeg));
    try {
      await rename(partial.folder, join(this.folder, key));
    } catch {
      await rm(partial.folder, { recursive: true, force: true });
    }
    await this.#evict(key);
  }

  /** Removes the folder of an entry that did not come about; its file is the caller's to close. */
  async discard(partial: PartialEntry): Promise<void> {
    await rm(partial.folder, { recursive: true, force: true });
  }

  async #removeLeftovers(): Promise<void> {
    for (const name of await readdir(this.folder)) {
      const pid = Number(PARTIAL.exec(name)?.[1] ?? 0);
      if (pid === 0) continue;
      const folder = join(this.folder, name);
      const { mtimeMs } = await stat(folder).catch(() => ({ mtimeMs: Date.now() }));
      if (isAlive(pid) && Date.now() - mtimeMs < MAX_ENCODE_MS) continue;
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Removes the longest unused entries. A process that plays one keeps its open file. */
  async #evict(newest: string): Promise<void> {
    const entries: { name: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.folder)) {
      if (PARTIAL.test(name)) continue;
      const folder = join(this.folder, name);
      const [frames, used] = await Promise.all([
        stat(join(folder, FRAMES)).catch(() => undefined),
        stat(folder).catch(() => undefined),
      ]);
      if (frames && used) entries.push({ name, bytes: frames.size, usedMs: used.mtimeMs });
    }
    entries.sort((a, b) => b.usedMs - a.usedMs);
    let total = 0;
    for (const { name, bytes } of entries) {
      total += bytes;
      if (total > this.#maxBytes && name !== newest) {
        await rm(join(this.folder, name), { recursive: true, force: true });
      }
    }
  }
}

/**
 * A key from settings and, where there is a file, its content. Of a file above 64 MiB only samples are read, and its
 * size and time of change count too: reading a film would take longer than encoding its first second.
 */
export async function contentKey(settings: unknown, path?: string, signal?: AbortSignal): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  if (path !== undefined) {
    const { size, mtimeMs } = await stat(path);
    const whole = size <= WHOLE_BYTES;
    if (!whole) hash.update(`${size} ${mtimeMs}`);
    const samples = whole ? 1 : SAMPLES;
    const length = whole ? size : SAMPLE_BYTES;
    for (let i = 0; i < samples; i += 1) {
      const start = whole ? 0 : Math.floor(((size - length) * i) / (samples - 1));
      const stream = createReadStream(path, {
        start,
        end: start + length - 1,
        highWaterMark: 1 << 20,
        signal,
      });
      for await (const chunk of stream) hash.update(chunk as Buffer);
    }
  }
  return hash.digest('hex').slice(0, 40);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

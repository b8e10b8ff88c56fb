import type { MediaCache } from '../cache/cache.ts';
import type { EncodedMedia } from '../cache/media.ts';
import type { EncodeRequest } from '../encode/arguments.ts';
import { Encoding } from '../encode/encoding.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { Passes } from './passes.ts';

/** What it takes to encode one input. */
export interface EncodeJob {
  readonly ffmpeg: Ffmpeg;
  readonly request: EncodeRequest;
  /** What errors call the input. */
  readonly name: string;
}

interface Entry {
  readonly media: EncodedMedia;
  readonly close: () => Promise<void>;
}

interface Shared {
  readonly entry: Promise<Entry>;
  users: number;
}

/** What this process has open, by folder and key: bots that send the same file share one index and one encoder. */
const open = new Map<string, Shared>();

/**
 * Media of the cache, encoded into it first when it is not there; `prepare` is only asked then. Several users in the
 * process share it; the last that closes ends an encoder that is still at work.
 */
export async function openShared(
  cache: MediaCache,
  key: string,
  prepare: () => Promise<EncodeJob>,
): Promise<Passes> {
  const id = `${cache.folder}\n${key}`;
  const shared = open.get(id) ?? { entry: openEntry(cache, key, prepare), users: 0 };
  const forget = () => {
    if (open.get(id) === shared) open.delete(id);
  };
  open.set(id, shared);
  shared.users += 1;
  let entry: Entry;
  try {
    entry = await shared.entry;
  } catch (error) {
    forget();
    throw error;
  }
  entry.media.once('failed', forget);
  let closed = false;
  return {
    first: entry.media,
    pass: () => entry.media,
    release: () => {},
    close: async () => {
      if (closed) return;
      closed = true;
      entry.media.off('failed', forget);
      shared.users -= 1;
      if (shared.users > 0) return;
      forget();
      await entry.close();
    },
  };
}

async function openEntry(cache: MediaCache, key: string, prepare: () => Promise<EncodeJob>): Promise<Entry> {
  const cached = await cache.open(key);
  if (cached) return { media: cached.media, close: () => cached.file.close() };
  const job = await prepare();
  const partial = await cache.begin(key);
  let encoding: Encoding;
  try {
    encoding = new Encoding({ ...job, file: partial.file });
  } catch (error) {
    await partial.file.close();
    await cache.discard(partial);
    throw error;
  }
  // What cannot be put into the cache is still played from its open file.
  const finished = encoding.done
    .then(() => cache.commit(key, partial, encoding.media, job.ffmpeg.version))
    .catch(() => cache.discard(partial));
  return {
    media: encoding.media,
    close: async () => {
      await encoding.close();
      await finished;
      await partial.file.close();
    },
  };
}

/** Media that is encoded while it plays and not kept: for input that would fill the cache, or without a cache. */
export function encodeWhilePlaying(job: EncodeJob, loop: boolean): Passes {
  const encodings = new Map<number, Encoding>();
  /** The furthest pass that is being read. */
  let current = 0;
  let closed = false;
  const start = (index: number): Encoding => {
    const there = encodings.get(index);
    if (there) return there;
    const encoding = new Encoding(job);
    encodings.set(index, encoding);
    encoding.media.once('complete', startNext);
    return encoding;
  };
  /** The next pass is begun when the current one is encoded, seconds before it has been played; only one ahead. */
  const startNext = () => {
    if (loop && !closed && encodings.get(current)?.media.complete) start(current + 1);
  };
  const ending: Promise<void>[] = [];
  const end = (index: number) => {
    const encoding = encodings.get(index);
    if (!encoding) return;
    encodings.delete(index);
    ending.push(encoding.close());
  };
  return {
    first: start(0).media,
    pass: (index) => {
      const { media } = start(index);
      if (index > current) {
        current = index;
        startNext();
      }
      return media;
    },
    release: (index, ticks) => {
      for (const earlier of encodings.keys()) if (earlier < index) end(earlier);
      encodings.get(index)?.release(ticks);
    },
    close: async () => {
      closed = true;
      for (const index of [...encodings.keys()]) end(index);
      await Promise.all(ending);
    },
  };
}

/** What participants of the benchmarks send. */
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CLIPS } from '../../src/media/clips.ts';
import { openFile } from '../../src/media/file/open.ts';

/** Encoded clips are kept between runs; what encoding costs is the business of the benchmark `media`. */
export const CACHE_DIR = join(tmpdir(), 'meet-bench-media');

/** Ten seconds of picture and speech, sent as three layers of which the largest is 720p. */
export const CLIP_FILE = CLIPS[0];
export const CLIP_SECONDS = 10;

const POLL_MS = 10;

/**
 * Opens the clip with this cache folder, which holds nothing else, and waits until all of it is there.
 *
 * @returns milliseconds until it was open, and until the whole was encoded; both short when it was in the cache
 */
export async function encodeClip(cacheDir: string): Promise<{ openMs: number; wholeMs: number }> {
  const startedAt = performance.now();
  const source = await openFile({ video: CLIP_FILE, cacheDir });
  const openMs = performance.now() - startedAt;
  try {
    // An entry gets its name when it is whole.
    while (!(await readdir(cacheDir)).some((name) => !name.endsWith('.partial'))) await delay(POLL_MS);
  } finally {
    await source.close();
  }
  return { openMs, wholeMs: performance.now() - startedAt };
}

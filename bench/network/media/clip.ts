/** The clip that participants of the network benchmark send: 720p30 with a counter in the picture and beeps. */
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openFile } from '../../../src/media/file/open.ts';
import { barcodeClip } from '../../../test/support/barcode-clip.ts';

/** Encoded clips are kept between runs. */
export const NETWORK_CACHE_DIR = join(tmpdir(), 'meet-bench-network');
export const CLIP_FRAME_RATE = 30;

const POLL_MS = 50;

/** Path of the clip, whole in the cache: an encoder beside the measurement would be measured too. */
export async function preparedClip(): Promise<string> {
  const clip = await barcodeClip({ frameRate: CLIP_FRAME_RATE });
  await mkdir(NETWORK_CACHE_DIR, { recursive: true });
  const source = await openFile({ video: clip, cacheDir: NETWORK_CACHE_DIR });
  // An entry gets its name when it is whole.
  while ((await readdir(NETWORK_CACHE_DIR)).every((name) => name.endsWith('.partial'))) await delay(POLL_MS);
  await source.close();
  return clip;
}

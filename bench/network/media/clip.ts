/** The clip that participants of the network benchmark send: 720p30 with a counter in the picture, and speech. */
import { mkdir, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CLIPS } from '../../../src/media/clips.ts';
import { openFile } from '../../../src/media/file/open.ts';
import type { EncodedSource } from '../../../src/media/types.ts';
import { barcodeClip } from '../../../test/support/barcode-clip.ts';

/** Encoded clips are kept between runs. */
export const NETWORK_CACHE_DIR = join(tmpdir(), 'meet-bench-network');
export const CLIP_FRAME_RATE = 30;

const POLL_MS = 50;
const ENCODE_TIMEOUT_MS = 120_000;

/** A source of the clip with a person's speech, which is what the rules about sound are made for. */
export function openClip(clip: string, options: { readonly loop: boolean }): Promise<EncodedSource> {
  return openFile({ video: clip, audio: CLIPS[0], cacheDir: NETWORK_CACHE_DIR, ...options });
}

/** Path of the clip, whole in the cache: an encoder beside the measurement would be measured too. */
export async function preparedClip(): Promise<string> {
  const clip = await barcodeClip({ frameRate: CLIP_FRAME_RATE, audio: false });
  await mkdir(NETWORK_CACHE_DIR, { recursive: true });
  const source = await openClip(clip, { loop: false });
  const deadline = performance.now() + ENCODE_TIMEOUT_MS;
  // An entry gets its name when it is whole.
  while ((await readdir(NETWORK_CACHE_DIR)).some((name) => name.endsWith('.partial'))) {
    if (performance.now() > deadline) throw new Error(`Encoding did not end; empty ${NETWORK_CACHE_DIR}`);
    await delay(POLL_MS);
  }
  await source.close();
  return clip;
}

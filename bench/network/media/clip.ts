/** The clip that participants of the network benchmark send: 720p30 with a counter in the picture, and speech. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CLIPS } from '../../../src/media/clips.ts';
import { openFile } from '../../../src/media/file/open.ts';
import { barcodeClip } from '../../../test/support/barcode-clip.ts';
import { runFfmpeg } from '../../../test/support/barcode-ffmpeg.ts';

/** Encoded clips are kept between runs. */
export const NETWORK_CACHE_DIR = join(tmpdir(), 'meet-bench-network');
const CLIP_FRAME_RATE = 30;
const CLIP_SECONDS = 10;

const POLL_MS = 50;
const ENCODE_TIMEOUT_MS = 120_000;

/** Path of the clip, whole in the cache: an encoder beside the measurement would be measured too. */
export async function preparedClip(): Promise<string> {
  await mkdir(NETWORK_CACHE_DIR, { recursive: true });
  const clip = await clipWithSpeech();
  const source = await openFile({ video: clip, cacheDir: NETWORK_CACHE_DIR });
  const deadline = performance.now() + ENCODE_TIMEOUT_MS;
  // An entry gets its name when it is whole.
  while ((await readdir(NETWORK_CACHE_DIR)).some((name) => name.endsWith('.partial'))) {
    if (performance.now() > deadline) throw new Error(`Encoding did not end; empty ${NETWORK_CACHE_DIR}`);
    await delay(POLL_MS);
  }
  await source.close();
  return clip;
}

/** The sound is exactly as long as the picture: a pause at each new round would look like lost packets. */
async function clipWithSpeech(): Promise<string> {
  const path = `${NETWORK_CACHE_DIR}-clip.mkv`;
  if (existsSync(path)) return path;
  const picture = await barcodeClip({ frameRate: CLIP_FRAME_RATE, seconds: CLIP_SECONDS, audio: false });
  const making = `${path}.${process.pid}.mkv`;
  await runFfmpeg([
    ...['-v', 'error', '-y', '-i', picture, '-i', CLIPS[0], '-map', '0:v', '-map', '1:a', '-c:v', 'copy'],
    ...['-af', 'apad', '-c:a', 'pcm_s16le', '-t', String(CLIP_SECONDS), making],
  ]);
  await rename(making, path);
  return path;
}

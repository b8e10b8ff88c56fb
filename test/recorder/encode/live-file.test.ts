import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LiveFile } from '../../../src/recorder/encode/index.ts';
import { type SmallDisk, smallDisk } from '../../support/small-disk.ts';
import { FPS, Recorded, shownPictures } from './material.ts';

let directory: string;
let disk: SmallDisk | undefined;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'live-file-'));
});
afterEach(async () => {
  await disk?.remove();
  disk = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function record(format: 'mp4' | 'webm', seconds: number): Promise<Recorded> {
  const recorded = await Recorded.start(format);
  await recorded.feed(seconds * FPS);
  await recorded.encoder.finish();
  return recorded;
}

test.each(['mp4', 'webm'] as const)(
  '%s: what a killed recorder leaves is cut to whole fragments',
  async (format) => {
    const { inits, fragments } = await record(format, 3);
    const path = join(directory, `live.${format}`);
    const file = await LiveFile.open(path);
    expect(file.recovered).toBeUndefined();
    file.init(inits[0]!);
    for (const fragment of fragments.slice(0, 2)) file.fragment(fragment);
    await file.close();
    const whole = await readFile(path);
    expect(file.written()).toBe(whole.length);

    await appendFile(path, fragments[2]!.bytes.subarray(0, -10));
    const again = await LiveFile.open(path);
    expect(again.recovered).toMatchObject({ bytes: whole.length, sequence: 3, lastFragmentMs: 1_000 });
    expect(await readFile(path)).toEqual(whole);
    again.fragment(fragments[2]!);
    await again.close();
    expect(await shownPictures(path)).toHaveLength(3 * FPS);
  },
);

test('a file without a whole fragment begins anew', async () => {
  const { inits } = await record('mp4', 1);
  const path = join(directory, 'live.mp4');
  for (const left of [Buffer.from('no media'), inits[0]!, inits[0]!.subarray(0, 100), Buffer.alloc(50)]) {
    await appendFile(path, left);
    const file = await LiveFile.open(path);
    expect(file.recovered).toBeUndefined();
    await file.close();
    expect((await stat(path)).size).toBe(0);
  }
});

test('a full disk leaves a file that plays, and it goes on when there is room', async ({ skip }) => {
  const { inits, fragments } = await record('mp4', 5);
  const sizes = fragments.map(({ bytes }) => Math.ceil(bytes.length / 4096) + 1);
  const made = await smallDisk((sizes[0]! + sizes[1]! + 1) * 4096);
  if (typeof made === 'string') return skip(made);
  disk = made;
  const path = join(disk.path, 'live.mp4');
  const file = await LiveFile.open(path);
  file.init(inits[0]!);
  const gap = once(file, 'gap');
  for (const fragment of fragments.slice(0, 4)) file.fragment(fragment);
  const [{ fromMs, error }] = await gap;
  expect(error).toMatchObject({ code: 'disk-full' });
  expect(fromMs).toBeLessThanOrEqual(3_000);
  const kept = file.written();
  expect((await shownPictures(path)).length).toBe((fromMs / 1000) * FPS);

  await disk.grow(8 * 1024 * 1024);
  const mended = once(file, 'mended');
  file.fragment(fragments[4]!);
  expect(await mended).toEqual([{ fromMs, toMs: 4_000 }]);
  await file.close();
  // The stream has fragments that the file lacks: from there on they are not the same.
  expect(file.written()).toBe(kept);
  const pictures = await shownPictures(path);
  expect(pictures).toHaveLength((fromMs / 1000 + 1) * FPS);
  expect(pictures.at(-1)!.seconds).toBeCloseTo(5 - 1 / FPS, 2);
});

test('a folder that cannot be written to is said at once', async () => {
  await expect(LiveFile.open(join(directory, 'missing', 'live.mp4'))).rejects.toMatchObject({
    name: 'MeetError',
  });
});

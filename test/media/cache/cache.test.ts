import { existsSync, readdirSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { contentKey, MediaCache } from '../../../src/media/cache/cache.ts';
import { EncodedMedia } from '../../../src/media/cache/media.ts';
import { temporaryFolder } from '../file/made.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** Puts an entry with a picture of so many bytes into the cache. */
async function put(cache: MediaCache, key: string, bytes: number, byte = 1): Promise<void> {
  const partial = await cache.begin(key);
  const media = new EncodedMedia({
    video: { codec: 'vp8', layers: [{ width: 2, height: 2, bitrate: 1 }], frameRate: 30 },
    audio: { codec: 'opus', channels: 2 },
    still: false,
    file: partial.file,
  });
  const picture = Buffer.alloc(bytes, byte);
  media.pictures.push(0);
  media.addRun(0, {
    level: 0,
    startTicks: 0,
    sizes: [bytes],
    offset: await partial.file.append([picture]),
    closed: true,
  });
  media.audioRuns.push({
    level: 0,
    startTicks: 0,
    sizes: [3, 4],
    audioLevels: [20, 30],
    offset: await partial.file.append([Buffer.from('abc'), Buffer.from('defg')]),
    closed: true,
  });
  media.audioPackets = 2;
  media.complete = true;
  await cache.commit(key, partial, media, 'test');
  await partial.file.close();
}

test('gives back what was put in', async () => {
  const cache = new MediaCache(folder.path('plain'));
  expect(await cache.open('a')).toBeUndefined();
  await put(cache, 'a', 100, 7);
  const { media, file } = (await cache.open('a'))!;
  expect(media).toMatchObject({ complete: true, still: false, pictures: [0], audioPackets: 2 });
  expect(await media.load(media.run(0, 0)!)).toEqual([Buffer.alloc(100, 7)]);
  expect(await media.load(media.audioRuns[0]!)).toEqual([Buffer.from('abc'), Buffer.from('defg')]);
  expect([media.audioLevelOf(0), media.audioLevelOf(1)]).toEqual([20, 30]);
  await file.close();
});

test('an entry that was written at the same time is whole, whoever was first', async () => {
  const cache = new MediaCache(folder.path('together'));
  await Promise.all(Array.from({ length: 8 }, (_, i) => put(cache, 'a', 1000 + i, i)));
  const { media, file } = (await cache.open('a'))!;
  const [picture] = await media.load(media.run(0, 0)!);
  expect(picture).toEqual(Buffer.alloc(1000 + picture![0]!, picture![0]!));
  await file.close();
  expect(readdirSync(cache.folder)).toEqual(['a']);
});

test('removes damaged entries', async () => {
  const cache = new MediaCache(folder.path('damaged'));
  for (const damage of [
    (entry: string) => truncateSync(join(entry, 'frames'), 10),
    (entry: string) => writeFileSync(join(entry, 'manifest.json'), '{"bytes":'),
  ]) {
    await put(cache, 'a', 100);
    damage(join(cache.folder, 'a'));
    expect(await cache.open('a')).toBeUndefined();
    expect(existsSync(join(cache.folder, 'a'))).toBe(false);
  }
});

test('removes what a crashed process left, and nothing of a living one', async () => {
  const cache = new MediaCache(folder.path('leftovers'));
  // No process has this id: Linux gives at most 4194304.
  const crashed = join(cache.folder, 'a.4194305.00000000-0000-0000-0000-000000000000.partial');
  const living = join(cache.folder, `b.${process.ppid}.00000000-0000-0000-0000-000000000000.partial`);
  await mkdir(crashed, { recursive: true });
  await mkdir(living);
  await put(cache, 'c', 10);
  expect(existsSync(crashed)).toBe(false);
  expect(existsSync(living)).toBe(true);
});

test('keeps the most recently used within its size', async () => {
  const cache = new MediaCache(folder.path('full'), { maxBytes: 3000 });
  for (const [age, key] of ['oldest', 'older', 'used'].entries()) {
    await put(cache, key, 900);
    const time = new Date(Date.now() - (10 - age) * 60_000);
    utimesSync(join(cache.folder, key), time, time);
  }
  await (await cache.open('oldest'))!.file.close();
  await put(cache, 'new', 900);
  expect(readdirSync(cache.folder).sort()).toEqual(['new', 'oldest', 'used']);
});

test('keys depend on content and settings, not on names', async () => {
  writeFileSync(folder.path('one'), 'content');
  writeFileSync(folder.path('two'), 'content');
  writeFileSync(folder.path('three'), 'another');
  const key = await contentKey({ version: 1 }, folder.path('one'));
  expect(await contentKey({ version: 1 }, folder.path('two'))).toBe(key);
  expect(await contentKey({ version: 1 }, folder.path('three'))).not.toBe(key);
  expect(await contentKey({ version: 2 }, folder.path('one'))).not.toBe(key);
});

import { mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FolderObjectStore, ObjectLinks, openObjectStore } from '../../../../src/server/store/index.ts';
import { smallDisk } from '../../../support/small-disk.ts';
import { SECRET } from './object-stores.ts';

const coded = (code: string) => expect.objectContaining({ name: 'MeetError', code });

describe('a folder of objects', () => {
  let folder: string;
  let root: string;
  let now = 1_800_000_000_000;
  let store: FolderObjectStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'meet-objects-'));
    root = join(folder, 'deep', 'objects');
    store = await FolderObjectStore.open(root, { secret: SECRET, now: () => now });
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  test('holds plain files under their keys', async () => {
    await store.put('a/b/c.txt', Buffer.from('plain'));
    expect(await readFile(join(root, 'a/b/c.txt'), 'utf8')).toBe('plain');
  });

  test('is opened by path and by file URL', async () => {
    await store.put('a.txt', Buffer.from('x'));
    for (const url of [root, `file://${root}`]) {
      const again = await openObjectStore(url, { secret: SECRET });
      expect(again.kind).toBe('folder');
      expect(await again.head('a.txt')).toMatchObject({ size: 1 });
    }
  });

  test('follows no symbolic link', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'secret.txt'), 'secret');
    await symlink(outside, join(root, 'dir'));
    await symlink(join(outside, 'secret.txt'), join(root, 'file.txt'));
    for (const key of ['dir/secret.txt', 'file.txt']) {
      await expect(store.get(key)).rejects.toEqual(coded('no-permission'));
      await expect(store.head(key)).rejects.toEqual(coded('no-permission'));
      await expect(store.put(key, Buffer.from('overwritten'))).rejects.toEqual(coded('no-permission'));
      await expect(store.delete(key)).rejects.toEqual(coded('no-permission'));
    }
    await expect(store.put('dir/new/x.txt', Buffer.from('x'))).rejects.toEqual(coded('no-permission'));
    expect(await readFile(join(outside, 'secret.txt'), 'utf8')).toBe('secret');
    await expect(readFile(join(outside, 'new'))).rejects.toThrow();
    for await (const { key } of store.list()) expect.unreachable(key);
  });

  test('may itself be reached by a symbolic link', async () => {
    await symlink(root, join(folder, 'link'));
    const linked = await FolderObjectStore.open(join(folder, 'link'), { secret: SECRET });
    await linked.put('a.txt', Buffer.from('x'));
    expect(await store.head('a.txt')).toMatchObject({ size: 1 });
  });

  test('has no key that is both an object and a folder', async () => {
    await store.put('a/b.txt', Buffer.from('x'));
    await expect(store.put('a', Buffer.from('x'))).rejects.toEqual(coded('bad-request'));
    await expect(store.put('a/b.txt/c', Buffer.from('x'))).rejects.toEqual(coded('bad-request'));
    await expect(store.get('a')).rejects.toEqual(coded('not-found'));
    await expect(store.get('a/b.txt/c')).rejects.toEqual(coded('not-found'));
    expect(await store.head('a')).toBeUndefined();
    expect(await store.head('a/b.txt/c')).toBeUndefined();
    await store.delete('a');
    expect(await store.head('a/b.txt')).toBeDefined();
  });

  test('forgets what killed processes left behind, not what others are writing', async () => {
    const old = join(root, '.incoming', 'old');
    const young = join(root, '.incoming', 'young');
    await writeFile(old, 'x');
    await writeFile(young, 'x');
    const twoDaysAgo = Date.now() / 1000 - 2 * 24 * 3600;
    await utimes(old, twoDaysAgo, twoDaysAgo);
    await FolderObjectStore.open(root, { secret: SECRET });
    await expect(readFile(old)).rejects.toThrow('ENOENT');
    expect(await readFile(young, 'utf8')).toBe('x');
  });

  test('on a full disk refuses, and keeps what it has', async ({ skip }) => {
    const disk = await smallDisk(1024 * 1024);
    if (typeof disk === 'string') return skip(disk);
    try {
      const small = await FolderObjectStore.open(disk.path, { secret: SECRET });
      await small.put('kept.txt', Buffer.from('kept'));
      const body = Readable.from([Buffer.alloc(700_000), Buffer.alloc(700_000)]);
      await expect(small.put('kept.txt', body)).rejects.toEqual(coded('disk-full'));
      expect((await buffer((await small.get('kept.txt')).body)).toString()).toBe('kept');
      // Nothing is left of the attempt: there is room again.
      await small.put('other.bin', Buffer.alloc(700_000));
    } finally {
      await disk.remove();
    }
  });

  test('that cannot be made is refused', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(FolderObjectStore.open(join(folder, 'file'), { secret: SECRET })).rejects.toMatchObject({
      name: 'MeetError',
    });
    await expect(openObjectStore(root, { secret: 'short' })).rejects.toEqual(coded('bad-config'));
  });

  test('that may not be written is refused', async ({ skip }) => {
    const disk = await smallDisk(1024 * 1024);
    if (typeof disk === 'string') return skip(disk);
    try {
      const sealed = await FolderObjectStore.open(disk.path, { secret: SECRET });
      await sealed.put('kept.txt', Buffer.from('kept'));
      await disk.seal();
      await expect(sealed.put('new.txt', Buffer.from('x'))).rejects.toEqual(coded('no-permission'));
      await expect(sealed.delete('kept.txt')).rejects.toEqual(coded('no-permission'));
      expect(await sealed.head('kept.txt')).toMatchObject({ size: 4 });
      await expect(FolderObjectStore.open(disk.path, { secret: SECRET })).rejects.toEqual(
        coded('no-permission'),
      );
    } finally {
      await disk.remove();
    }
  });

  describe('signed URLs', () => {
    let links: ObjectLinks;
    beforeEach(() => {
      links = new ObjectLinks(store, { secret: SECRET, now: () => now });
    });

    test('hold until their second, for their object, name and secret only', async () => {
      await store.put('rec/a.mp4', Buffer.from('x'));
      const url = await store.presignGet('rec/a.mp4', { expiresInSeconds: 10, downloadName: 'a&b.mp4' });
      expect(url).toMatch(/^\/objects\/rec\/a\.mp4\?expires=1800000010&name=a%26b\.mp4&signature=[\w-]{43}$/);
      expect(links.verify(url)).toEqual({
        key: 'rec/a.mp4',
        downloadName: 'a&b.mp4',
        expiresAt: 1_800_000_010_000,
      });
      expect(links.verify(`https://meet.example${url}`)).toMatchObject({ key: 'rec/a.mp4' });
      const refused = (forged: string) =>
        expect(() => links.verify(forged)).toThrow(coded('forbidden') as unknown as Error);
      refused(url.replace('a.mp4', 'b.mp4'));
      refused(url.replace('a%26b', 'c'));
      refused(url.replace('name=a%26b.mp4&', ''));
      refused(url.replace('1800000010', '1900000010'));
      refused(url.replace('/objects/', '/'));
      const other = new ObjectLinks(store, { secret: `${SECRET}!`, now: () => now });
      expect(() => other.verify(url)).toThrow();
      now += 9_999;
      expect(links.verify(url)).toMatchObject({ key: 'rec/a.mp4' });
      now += 1;
      expect(() => links.verify(url)).toThrow('The link has expired.');
    });

    test('of any text are refused and harm nothing', () => {
      fc.assert(
        fc.property(fc.oneof(fc.string(), fc.webUrl({ withQueryParameters: true })), (text) => {
          expect(() => links.verify(text)).toThrow('not one that this server signed');
          expect(() => links.verify(`/objects/${text}`)).toThrow('not one that this server signed');
        }),
      );
    });

    test('keep any download name', async () => {
      await fc.assert(
        fc.asyncProperty(fc.string({ unit: 'binary' }), async (downloadName) => {
          const url = await store.presignGet('a.txt', { expiresInSeconds: 60, downloadName });
          expect(links.verify(url)).toMatchObject({ key: 'a.txt', downloadName });
        }),
      );
    });
  });
});

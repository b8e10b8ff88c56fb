import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ObjectInfo } from '../../../../src/server/store/index.ts';
import { kinds, type StoreUnderTest } from './object-stores.ts';

const coded = (code: string) => expect.objectContaining({ name: 'MeetError', code });
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Pseudo-random bytes in chunks whose size fits no part, ended by an error where one is given. */
function source(bytes: Buffer, error?: Error): Readable {
  const chunks = function* () {
    for (let at = 0; at < bytes.length; at += 65_521) yield bytes.subarray(at, at + 65_521);
    if (error) throw error;
  };
  return Readable.from(chunks());
}

describe.each(kinds)('objects in a $name', ({ name, start }) => {
  let under: StoreUnderTest;
  beforeAll(async () => {
    under = await start();
  });
  afterAll(() => under?.stop());
  const read = async (key: string, range?: { start: number; end?: number }) => {
    const opened = await under.store.get(key, range);
    return { ...opened, content: await buffer(opened.body) };
  };
  const all = async (prefix?: string) => {
    const found: ObjectInfo[] = [];
    for await (const info of under.store.list(prefix)) found.push(info);
    return found;
  };

  test('are put, looked at, read and deleted', async () => {
    const before = Date.now();
    const put = await under.store.put('notes/a.txt', Buffer.from('hello'));
    expect(put).toMatchObject({ key: 'notes/a.txt', size: 5, contentType: 'text/plain; charset=utf-8' });
    const head = await under.store.head('notes/a.txt');
    expect(head).toMatchObject({ key: 'notes/a.txt', size: 5, contentType: put.contentType, etag: put.etag });
    expect(head?.lastModified).toBeGreaterThan(before - 2000);
    const opened = await read('notes/a.txt');
    expect(opened.info).toEqual(head);
    expect(opened.content.toString()).toBe('hello');

    const replaced = await under.store.put('notes/a.txt', Readable.from(['good', 'bye']), {
      contentType: 'text/markdown',
      size: 7,
    });
    expect(replaced.etag).not.toBe(put.etag);
    expect(await read('notes/a.txt')).toMatchObject({
      info: { contentType: 'text/markdown', size: 7 },
      content: Buffer.from('goodbye'),
    });
    await under.store.delete('notes/a.txt');
    await under.store.delete('notes/a.txt');
    expect(await under.store.head('notes/a.txt')).toBeUndefined();
    await expect(under.store.get('notes/a.txt')).rejects.toEqual(coded('not-found'));
    await under.store.put('notes/a.txt', Buffer.from('again'));
    expect(await under.store.head('notes/a.txt')).toMatchObject({ contentType: 'text/plain; charset=utf-8' });
  });

  test('may be empty', async () => {
    expect(await under.store.put('empty.bin', Buffer.alloc(0))).toMatchObject({ size: 0 });
    await under.store.put('empty.webm', Readable.from([]));
    expect(await read('empty.webm')).toMatchObject({
      info: { size: 0, contentType: 'video/webm' },
      range: { start: 0, end: -1 },
      content: Buffer.alloc(0),
    });
    await expect(under.store.get('empty.bin', { start: 0 })).rejects.toEqual(coded('range-not-satisfiable'));
  });

  test('are read in ranges', async () => {
    await under.store.put('digits.txt', Buffer.from('0123456789'));
    const part = async (range: { start: number; end?: number }) => {
      const { content, range: cut, info } = await read('digits.txt', range);
      return [content.toString(), cut.start, cut.end, info.size];
    };
    expect(await part({ start: 2, end: 4 })).toEqual(['234', 2, 4, 10]);
    expect(await part({ start: 7 })).toEqual(['789', 7, 9, 10]);
    expect(await part({ start: 9, end: 99 })).toEqual(['9', 9, 9, 10]);
    for (const range of [{ start: 10 }, { start: 4, end: 3 }, { start: -1 }, { start: Number.NaN }]) {
      await expect(under.store.get('digits.txt', range)).rejects.toEqual(coded('range-not-satisfiable'));
    }
    await expect(under.store.get('none.txt', { start: 0 })).rejects.toEqual(coded('not-found'));
  });

  test('of 20 MB go through as a stream, and ranges across parts', async () => {
    const bytes = randomBytes(20_000_000);
    const put = await under.store.put('recordings/long.mp4', source(bytes));
    expect(put).toMatchObject({ size: bytes.length, contentType: 'video/mp4' });
    const { content, info } = await read('recordings/long.mp4');
    expect(info).toMatchObject({ size: bytes.length, etag: put.etag, contentType: 'video/mp4' });
    expect(sha256(content)).toBe(sha256(bytes));
    const across = { start: 8 * 1024 * 1024 - 10, end: 8 * 1024 * 1024 + 9 };
    expect((await read('recordings/long.mp4', across)).content).toEqual(
      bytes.subarray(across.start, across.end + 1),
    );
    expect(await under.leftovers()).toEqual([]);
  });

  test.each([8 * 1024 * 1024, 16 * 1024 * 1024])(
    'of exactly whole parts keep every byte: %i',
    async (size) => {
      const bytes = randomBytes(size);
      await under.store.put('exact.bin', source(bytes), { size });
      expect(sha256((await read('exact.bin')).content)).toBe(sha256(bytes));
    },
  );

  test('are listed by prefix', async () => {
    for (const key of ['l/b.txt', 'l/a/2.txt', 'l/a-1.txt', 'l/a/1/x.txt', 'l/a.txt', 'lx.txt', 'l/B.txt']) {
      await under.store.put(key, Buffer.from(key), { contentType: 'application/x-of-its-own' });
    }
    const keys = async (prefix: string) => (await all(prefix)).map(({ key }) => key).sort();
    expect(await keys('l/')).toEqual([
      'l/B.txt',
      'l/a-1.txt',
      'l/a.txt',
      'l/a/1/x.txt',
      'l/a/2.txt',
      'l/b.txt',
    ]);
    expect(await keys('l/a')).toEqual(['l/a-1.txt', 'l/a.txt', 'l/a/1/x.txt', 'l/a/2.txt']);
    expect(await keys('l/a/1')).toEqual(['l/a/1/x.txt']);
    expect(await keys('nothing')).toEqual([]);
    expect((await all()).length).toBeGreaterThanOrEqual(7);
    expect((await all('l/b'))[0]).toMatchObject({ key: 'l/b.txt', size: 7 });
  });

  test.each([1000, 12_000_000])('whose source breaks after %i bytes are not stored', async (size) => {
    await under.store.put('kept.bin', Buffer.from('before'));
    const broken = source(randomBytes(size), new Error('the source broke'));
    await expect(under.store.put('kept.bin', broken)).rejects.toThrow();
    expect((await read('kept.bin')).content.toString()).toBe('before');
    const tooFew = source(randomBytes(size));
    await expect(under.store.put('kept.bin', tooFew, { size: size + 1 })).rejects.toEqual(
      coded('bad-request'),
    );
    const tooMany = source(randomBytes(size));
    await expect(under.store.put('kept.bin', tooMany, { size: size - 1 })).rejects.toEqual(
      coded('bad-request'),
    );
    expect(tooMany.destroyed).toBe(true);
    expect((await read('kept.bin')).content.toString()).toBe('before');
    expect(await under.leftovers()).toEqual([]);
  });

  test('whose put is aborted while the source gives nothing are not stored', async () => {
    const abort = new AbortController();
    const { promise: firstTaken, resolve: taken } = Promise.withResolvers<void>();
    let given = false;
    const stalled = new Readable({
      read() {
        if (given) taken();
        else this.push(randomBytes(9 * 1024 * 1024));
        given = true;
      },
    });
    const put = under.store.put('aborted.bin', stalled, { signal: abort.signal });
    await firstTaken;
    abort.abort(new Error('no longer wanted'));
    await expect(put).rejects.toThrow('no longer wanted');
    expect(stalled.destroyed).toBe(true);
    expect(await under.store.head('aborted.bin')).toBeUndefined();
    expect(await under.leftovers()).toEqual([]);
  });

  test('are fetched by a signed URL alone', async () => {
    const bytes = randomBytes(100_000);
    await under.store.put('rec/a.mp4', bytes);
    const plain = await request(
      under.absolute(await under.store.presignGet('rec/a.mp4', { expiresInSeconds: 60 })),
    );
    expect(plain.statusCode).toBe(200);
    expect(plain.headers['content-type']).toBe('video/mp4');
    expect(Buffer.from(await plain.body.arrayBuffer())).toEqual(bytes);

    const downloadName = 'Besprechung "Ü" 1.mp4';
    const named = await request(
      under.absolute(await under.store.presignGet('rec/a.mp4', { expiresInSeconds: 60, downloadName })),
    );
    expect(named.statusCode).toBe(200);
    expect(named.headers['content-disposition']).toContain(
      `filename*=UTF-8''Besprechung%20%22%C3%9C%22%201.mp4`,
    );
    await named.body.dump();
  });

  test('are not fetched by a forged or expired URL', async () => {
    await under.store.put('rec/a.mp4', Buffer.from('secret'));
    await under.store.put('rec/b.mp4', Buffer.from('other'));
    const status = async (url: string) => {
      const reply = await request(url);
      const text = await reply.body.text();
      expect(text).not.toContain('secret');
      return reply.statusCode;
    };
    const signed = under.absolute(await under.store.presignGet('rec/a.mp4', { expiresInSeconds: 1 }));
    expect(await status(signed.replace('rec/a.mp4', 'rec/b.mp4'))).toBe(403);
    expect(await status(signed.replace(/(expires=|X-Amz-Expires=)\d+/i, '$19999999999'))).toBeOneOf([
      400, 403,
    ]);
    expect(await status(signed.replace(/(signature=).{4}/i, '$1dead'))).toBe(403);
    if (name === 'folder') expect(await status(signed.split('?')[0] ?? '')).toBe(403);
    // Waiting for time itself to pass: both kinds count in whole seconds.
    await expect.poll(() => status(signed).catch(() => 200), { timeout: 5000, interval: 100 }).toBe(403);
  });

  test.each([0, -1, 1.5, 604_801, Number.NaN])('are not signed for %d seconds', async (expiresInSeconds) => {
    await expect(under.store.presignGet('rec/a.mp4', { expiresInSeconds })).rejects.toEqual(
      coded('bad-request'),
    );
  });

  test.each([
    '',
    '/etc/passwd',
    '../up',
    'a/../../b',
    'a//b',
    'a/',
    '.hidden',
    'a/.types/b',
    '-rf',
    'a\\b',
    'a b',
    'nul\0',
    'ü',
    'x'.repeat(201),
    'a/'.repeat(300),
  ])('cannot have the key %j', async (key) => {
    const stream = Readable.from(['x']);
    for (const attempt of [
      under.store.put(key, Buffer.from('x')),
      under.store.put(key, stream),
      under.store.get(key),
      under.store.head(key),
      under.store.delete(key),
      under.store.presignGet(key, { expiresInSeconds: 1 }),
    ]) {
      await expect(attempt).rejects.toEqual(coded('bad-request'));
    }
    expect(stream.destroyed).toBe(true);
  });
});

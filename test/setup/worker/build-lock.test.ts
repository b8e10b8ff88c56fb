import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BuildLock, type LockHolder } from '../../../src/setup/worker/build-lock.ts';

let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lock-'));
  path = join(folder, 'worker.lock');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', '']);
  await once(child, 'exit');
  return child.pid!;
}

function held(by: Partial<LockHolder>): Promise<void> {
  return writeFile(path, JSON.stringify({ pid: process.pid, host: hostname(), token: 'other', ...by }));
}

describe('the lock of a build', () => {
  test('is given to one at a time and leaves nothing behind', async () => {
    const inside: number[] = [];
    let count = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const lock = await BuildLock.acquire(path);
        count += 1;
        inside.push(count);
        await new Promise((resolve) => setImmediate(resolve));
        count -= 1;
        await lock.release();
        await lock.release();
      }),
    );
    expect(inside).toEqual(Array(8).fill(1));
    expect(await readdir(folder)).toEqual([]);
  });

  test('tells whom it waits for, once, and stops waiting on an abort', async () => {
    await held({});
    const stop = new AbortController();
    const waited: LockHolder[] = [];
    const taking = BuildLock.acquire(path, {
      signal: stop.signal,
      onWait: (holder) => {
        waited.push(holder);
        stop.abort(new Error('enough'));
      },
    });
    await expect(taking).rejects.toThrow('enough');
    expect(waited.map(({ pid }) => pid)).toEqual([process.pid]);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ token: 'other' });
  });

  test('is taken over from a process that has died', async () => {
    await held({ pid: await deadPid() });
    const lock = await BuildLock.acquire(path);
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ pid: process.pid });
    await lock.release();
  });

  test('is taken over when its holder elsewhere has been silent for long', async () => {
    await held({ host: 'another-machine' });
    const old = new Date(Date.now() - 120_000);
    await utimes(path, old, old);
    const lock = await BuildLock.acquire(path);
    await lock.release();
    expect(await readdir(folder)).toEqual([]);
  });

  test('is taken over when its file is damaged and old', async () => {
    await writeFile(path, '{');
    const old = new Date(Date.now() - 120_000);
    await utimes(path, old, old);
    await (await BuildLock.acquire(path)).release();
  });

  test('does not remove the lock of whoever took it over', async () => {
    const lock = await BuildLock.acquire(path);
    await held({ token: 'successor' });
    await lock.release();
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({ token: 'successor' });
  });
});

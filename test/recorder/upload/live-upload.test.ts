/** The live upload while things around it fail: memory, disk, and where it goes. */
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type LiveFragment,
  LiveUpload,
  type LiveUploadOptions,
  openUploadTarget,
  uploadRecording,
} from '../../../src/recorder/upload/index.ts';
import { startS3, type TestS3 } from '../../support/s3.ts';
import {
  fragmentOf,
  LiveFile,
  locationOf,
  PART_BYTES,
  QUICK,
  sha256,
  temporaryFolder,
} from './recordings.ts';

const STUBBORN = { ...QUICK, attempts: Number.POSITIVE_INFINITY, stubborn: true };
let s3: TestS3;
beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3?.stop());

const openS3 = () => openUploadTarget(locationOf(s3), { credentials: s3.credentials });
const openLive = async (options: Partial<LiveUploadOptions> & Pick<LiveUploadOptions, 'folder'>) => {
  const target = options.target ?? (await openS3());
  const live = await LiveUpload.open({
    file: 'live.mp4',
    key: 'm/recording.mp4',
    partBytes: PART_BYTES,
    retry: STUBBORN,
    ...options,
    target,
  });
  return { live, target };
};
const object = () => readFile(s3.fileOf('rec/m/recording.mp4'));

test('a recording that is shorter than a part is put in one piece', async () => {
  const folder = await temporaryFolder();
  const { live, target } = await openLive({ folder });
  const fragment = fragmentOf(1, 500);
  live.init(Buffer.from('init'));
  live.init(Buffer.from('of an encoder that was started again'));
  live.fragment(fragment);
  expect(await live.close()).toMatchObject({ state: 'stored', verification: { size: 504 } });
  expect(await object()).toEqual(Buffer.concat([Buffer.from('init'), fragment.bytes]));
  expect(await live.close()).toMatchObject({ state: 'stored' });
  target.close();
});

test('a recording of nothing', async () => {
  const { live, target } = await openLive({ folder: await temporaryFolder() });
  expect(await live.close()).toEqual({ state: 'empty' });
  target.close();
});

describe('on a full disk', () => {
  test('the upload goes on from memory, and lets go of what has arrived', async () => {
    const folder = await temporaryFolder();
    const local = new LiveFile(folder);
    const { live, target } = await openLive({ folder, local });
    const sent: Buffer[] = [];
    for (let sequence = 1; sequence <= 60; sequence++) {
      if (sequence === 5) local.full = true;
      const fragment = fragmentOf(sequence, 30_000);
      sent.push(fragment.bytes);
      local.append(fragment.bytes);
      const part = live.heldBytes > 3 * PART_BYTES ? once(live, 'part') : undefined;
      live.fragment(fragment);
      await part;
      expect(live.heldBytes).toBeLessThan(8 * PART_BYTES);
    }
    expect(await live.close()).toMatchObject({ state: 'stored' });
    expect(sha256(await object())).toBe(sha256(Buffer.concat(sent)));
    expect((await stat(local.path)).size).toBe(4 * 30_000);
    target.close();
  });

  test('and without S3 whole fragments are lost, told of, and memory stays bounded', async () => {
    const folder = await temporaryFolder();
    const { live, target } = await openLive({ folder, bufferedParts: 3 });
    await s3.halt();
    const kept: Buffer[] = [];
    const lost: LiveFragment[] = [];
    live.on('lost', (fragment) => lost.push(fragment));
    for (let sequence = 1; sequence <= 20; sequence++) {
      const fragment = fragmentOf(sequence, 30_000);
      live.fragment(fragment);
      if (lost.at(-1)?.sequence !== sequence) kept.push(fragment.bytes);
      expect(live.heldBytes).toBeLessThanOrEqual(3 * PART_BYTES);
    }
    expect(lost).toHaveLength(14);
    await s3.resume();
    expect(await live.close()).toMatchObject({ state: 'stored' });
    expect(sha256(await object())).toBe(sha256(Buffer.concat(kept)));
    target.close();
  });

  test('a recorder that dies then: what arrived is made the object', async () => {
    const folder = await temporaryFolder();
    const local = new LiveFile(folder);
    const aborted = new AbortController();
    const { live, target } = await openLive({ folder, local, signal: aborted.signal });
    const sent: Buffer[] = [];
    const arrived = new Promise<void>((resolve) => {
      const numbers = new Set<number>();
      live.on('part', ({ number }) => numbers.add(number).size === 5 && resolve());
    });
    for (let sequence = 1; sequence <= 11; sequence++) {
      if (sequence === 3) local.full = true;
      const fragment = fragmentOf(sequence, 30_000);
      sent.push(fragment.bytes);
      local.append(fragment.bytes);
      live.fragment(fragment);
    }
    await arrived;
    aborted.abort(new Error('killed'));
    await live.close();
    const report = await uploadRecording(folder, target, {
      keyPrefix: 'm',
      partBytes: PART_BYTES,
      retry: QUICK,
    });
    expect(report.failed).toEqual([]);
    expect(await object()).toEqual(Buffer.concat(sent).subarray(0, 5 * PART_BYTES));
    target.close();
  });
});

describe('into a folder', () => {
  test('on the same disk the finished file becomes the object without a copy', async () => {
    const [folder, store] = [await temporaryFolder(), await temporaryFolder()];
    const local = new LiveFile(folder);
    const target = await openUploadTarget(store);
    const { live } = await openLive({ folder, local, target });
    for (let sequence = 1; sequence <= 10; sequence++) {
      const fragment = fragmentOf(sequence, 30_000);
      local.append(fragment.bytes);
      live.fragment(fragment);
    }
    expect(await live.close()).toMatchObject({ state: 'stored', verification: { by: 'link' } });
    expect((await stat(join(store, 'm/recording.mp4'))).ino).toBe((await stat(local.path)).ino);
    const options = { keyPrefix: 'm', retry: QUICK };
    expect(await uploadRecording(folder, target, options)).toMatchObject({ stored: [{ unchanged: true }] });
    expect((await uploadRecording(folder, target, { ...options, removeLocal: true })).removed).toEqual([
      'live.mp4',
    ]);
    expect((await stat(join(store, 'm/recording.mp4'))).size).toBe(300_000);
  });

  test('without a local copy it is written part by part, and appears when it is whole', async () => {
    const [folder, store] = [await temporaryFolder(), await temporaryFolder()];
    const target = await openUploadTarget(store);
    const { live } = await openLive({ folder, target });
    const sent: Buffer[] = [];
    for (let sequence = 1; sequence <= 10; sequence++) {
      const fragment = fragmentOf(sequence, 30_000);
      sent.push(fragment.bytes);
      live.fragment(fragment);
    }
    await expect(stat(join(store, 'm/recording.mp4'))).rejects.toThrow();
    expect(await live.close()).toMatchObject({ state: 'stored', verification: { by: 'content' } });
    expect(await readFile(join(store, 'm/recording.mp4'))).toEqual(Buffer.concat(sent));
  });

  test('that may not be made', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(openUploadTarget(join(folder, 'file', 'store'))).rejects.toMatchObject({
      name: 'MeetError',
    });
  });
});

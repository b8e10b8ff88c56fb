import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type SavedFrame, TrackFile } from '../../../src/media/save/index.ts';
import type { MeetError } from '../../../src/protocol/errors.ts';
import { fileTimes, receivedVideo } from './save-frames.ts';

let directory: string;
let mounted = false;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'save-faults-'));
});

afterEach(async () => {
  if (mounted) execFileSync('umount', [directory]);
  mounted = false;
  await rm(directory, { recursive: true, force: true });
});

/** A file system of so many KiB in place of the folder; `false` where that is not allowed. */
function mountSmall(kib: number): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', directory], { stdio: 'ignore' });
    mounted = true;
  } catch {
    // Not root, or a container without the right to mount.
  }
  return mounted;
}

const track = { participantName: 'Ann', source: 'camera', trackId: 't1', codec: 'vp8' } as const;

const video = (): Promise<SavedFrame[]> =>
  receivedVideo('libvpx', 'vp8', { width: 320, height: 180, frames: 150, gop: 30 });

test('a disk that fills up is told once, and what was written plays', async ({ skip }) => {
  if (!mountSmall(128)) skip('needs the right to mount a small file system');
  const frames = await video();
  const file = await TrackFile.open({ directory, ...track });
  const failures: MeetError[] = [];
  file.on('failed', (error) => failures.push(error));
  const failed = once(file, 'failed');
  // As live: what a second brought is written before the next comes.
  for (let round = 0; failures.length === 0; round++) {
    const second = frames.slice((round % 5) * 30, (round % 5) * 30 + 30);
    second.forEach((frame, i) => {
      file.write({ ...frame, mediaTimeMs: (round * 30 + i) * 33, receivedAtMs: (round * 30 + i) * 33 });
    });
    const before = (await stat(file.path)).size;
    while (failures.length === 0 && (await stat(file.path)).size === before) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  await failed;
  file.write(frames[0]!);
  const summary = await file.close();
  expect(failures).toHaveLength(1);
  expect(failures[0]).toMatchObject({ code: 'disk-full', fault: 'environment' });
  expect(failures[0]!.message).toContain(file.path);
  expect(failures[0]!.hint).toBeTruthy();
  expect(summary.frames).toBeGreaterThanOrEqual(30);
  expect((await stat(file.path)).size).toBe(summary.bytes);
  expect(await fileTimes(file.path, 'decoded')).toHaveLength(summary.frames);
});

test('a disk that is full from the start leaves no file', async ({ skip }) => {
  if (!mountSmall(16)) skip('needs the right to mount a small file system');
  const frames = await video();
  await writeFile(join(directory, 'ballast'), Buffer.alloc(12 * 1024));
  const file = await TrackFile.open({ directory, ...track });
  const failed = once(file, 'failed');
  for (const frame of frames) file.write(frame);
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'disk-full' });
  expect((await file.close()).path).toBeUndefined();
});

test('a folder that may not be written to', async ({ skip }) => {
  if (process.getuid?.() === 0) {
    // Root may write anywhere but into a read-only file system.
    if (!mountSmall(64)) skip('root, without the right to mount');
    execFileSync('mount', ['-o', 'remount,ro', directory]);
  } else {
    await chmod(directory, 0o555);
  }
  const opened = TrackFile.open({ directory, ...track });
  await expect(opened).rejects.toMatchObject({ name: 'MeetError', code: 'no-permission' });
});

test('a path that is no folder', async () => {
  const path = join(directory, 'file');
  await writeFile(path, '');
  const unusable = { name: 'MeetError', code: 'bad-config' };
  await expect(TrackFile.open({ ...track, directory: path })).rejects.toMatchObject(unusable);
  await expect(TrackFile.open({ ...track, directory: join(path, 'below') })).rejects.toMatchObject(unusable);
});

test('a folder that is not there yet is made', async () => {
  const deep = join(directory, 'a', 'b');
  const file = await TrackFile.open({ ...track, directory: deep });
  expect((await stat(deep)).isDirectory()).toBe(true);
  await file.close();
  await mkdir(deep, { recursive: true });
});

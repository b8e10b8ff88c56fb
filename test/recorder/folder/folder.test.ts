import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  findUnfinished,
  isLocked,
  isPaused,
  listRecordings,
  type NewRecording,
  outputTimeMs,
  RecordingFolder,
  readRecording,
  wallTimeMs,
} from '../../../src/recorder/folder/index.ts';

const MEETING = { server: 'https://meet.example', meetingId: 'abc-defg-hij' };
const recording = (id: string, createdAt = 1_700_000_000_000): NewRecording => ({
  id,
  ...MEETING,
  title: 'Weekly',
  createdAt,
  options: {
    layout: 'gallery',
    width: 1280,
    height: 720,
    fps: 30,
    bitrate: 2_500_000,
    format: 'mp4',
    clock: false,
    tracksOnly: false,
  },
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'meet-recordings-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A process that has a lock and does not give it back. */
async function holder(folder: string) {
  const source = `
    import { RecordingFolder } from ${JSON.stringify(new URL('../../../src/recorder/folder/index.ts', import.meta.url).href)};
    await RecordingFolder.open(${JSON.stringify(folder)});
    console.log('open');
    setInterval(() => {}, 1000);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}

describe('state', () => {
  test('is on the disk after each change, and an impossible one is refused', async () => {
    const folder = await RecordingFolder.create(directory, recording('one'));
    expect(await readRecording(folder.path)).toMatchObject({ id: 'one', state: 'waiting', pauses: [] });
    await folder.become('recording', { startedAt: 1000 });
    await folder.beginPause(2000);
    await folder.become('paused');
    await expect(folder.become('processed')).rejects.toMatchObject({ code: 'wrong-state' });
    await folder.endPause(2500);
    await folder.become('recording');
    await folder.setStep('chapters', { state: 'failed', attempts: 2, error: 'no' });
    await folder.close();
    const read = await readRecording(folder.path);
    expect(read).toMatchObject({ state: 'recording', startedAt: 1000 });
    expect(read.pauses).toEqual([{ from: 2000, to: 2500, reason: 'paused' }]);
    expect(read.steps).toEqual({ chapters: { state: 'failed', attempts: 2, error: 'no' } });
    expect((await readdir(folder.path)).sort()).toEqual(['recording.json', 'tracks']);
  });

  test('changes that are made at once are all kept', async () => {
    const folder = await RecordingFolder.create(directory, recording('one'));
    const steps = Array.from({ length: 20 }, (_, i) => `step-${i}`);
    await Promise.all(steps.map((name) => folder.setStep(name, { state: 'done', attempts: 1 })));
    await folder.close();
    expect(Object.keys((await readRecording(folder.path)).steps).sort()).toEqual(steps.sort());
  });

  test('a file that is none of ours, and a folder without one, are said to be so', async () => {
    await expect(readRecording(directory)).rejects.toMatchObject({ code: 'not-found' });
    await writeFile(join(directory, 'recording.json'), '{"version":1,"id":"x"}');
    await expect(readRecording(directory)).rejects.toMatchObject({ code: 'bad-config' });
    await writeFile(join(directory, 'recording.json'), '{"vers');
    await expect(RecordingFolder.open(directory)).rejects.toMatchObject({ code: 'bad-config' });
    expect(await readdir(directory)).toEqual(['recording.json']);
  });
});

describe('lock', () => {
  test('is had by one at a time, and by the next when it is given back', async () => {
    const first = await RecordingFolder.create(directory, recording('one'));
    expect(await isLocked(first.path)).toBe(true);
    await expect(RecordingFolder.open(first.path)).rejects.toMatchObject({ code: 'recording-busy' });
    await expect(RecordingFolder.create(directory, recording('one'))).rejects.toMatchObject({
      code: 'recording-busy',
    });
    await first.close();
    await first.close();
    expect(await isLocked(first.path)).toBe(false);
    await expect(RecordingFolder.create(directory, recording('one'))).rejects.toMatchObject({
      code: 'already-exists',
    });
    await (await RecordingFolder.open(first.path)).close();
  });

  test('of a process that was killed is taken over, by one of many who try', async () => {
    const made = await RecordingFolder.create(directory, recording('one'));
    await made.close();
    const child = await holder(made.path);
    await expect(RecordingFolder.open(made.path)).rejects.toMatchObject({ code: 'recording-busy' });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const tries = await Promise.allSettled(Array.from({ length: 12 }, () => RecordingFolder.open(made.path)));
    const taken = tries.filter((one) => one.status === 'fulfilled');
    expect(taken).toHaveLength(1);
    await taken[0]!.value.close();
    expect((await readdir(made.path)).sort()).toEqual(['recording.json', 'tracks']);
  });

  test('with the number of a process that is another one now, or of a machine that is gone, is stale', async () => {
    const made = await RecordingFolder.create(directory, recording('one'));
    await made.close();
    const lock = join(made.path, 'lock');
    const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '')).trim();
    if (boot !== '') {
      const recycled = { pid: process.pid, host: hostname(), startTime: '1', boot };
      await writeFile(lock, JSON.stringify(recycled));
      await (await RecordingFolder.open(made.path)).close();
    }
    await writeFile(lock, JSON.stringify({ pid: 1, host: 'another.example' }));
    await expect(RecordingFolder.open(made.path)).rejects.toThrow('another.example');
    const longAgo = new Date(Date.now() - 120_000);
    await utimes(lock, longAgo, longAgo);
    await (await RecordingFolder.open(made.path)).close();
  });
});

test('a listing has all recordings, those that are damaged, and finds what a dead recorder left', async () => {
  for (const [id, at] of [
    ['old', 1000],
    ['new', 3000],
    ['stopped', 2000],
  ] as const) {
    const folder = await RecordingFolder.create(directory, recording(id, at));
    await folder.become('recording');
    if (id === 'stopped') await folder.become('stopped');
    await folder.close();
  }
  const busy = await RecordingFolder.create(directory, recording('busy', 4000));
  await mkdir(join(directory, 'damaged'));
  await writeFile(join(directory, 'damaged', 'recording.json'), '');
  await mkdir(join(directory, 'other'));
  const { recordings, damaged } = await listRecordings(directory);
  expect(recordings.map((one) => [one.recording.id, one.busy])).toEqual([
    ['busy', true],
    ['new', false],
    ['stopped', false],
    ['old', false],
  ]);
  expect(damaged.map(({ path }) => path)).toEqual([join(directory, 'damaged')]);
  const unfinished = await findUnfinished(directory, MEETING);
  expect(unfinished.map((one) => one.recording.id)).toEqual(['new', 'old']);
  expect(await findUnfinished(directory, { ...MEETING, meetingId: 'another' })).toEqual([]);
  expect(await listRecordings(join(directory, 'nowhere'))).toEqual({ recordings: [], damaged: [] });
  await busy.close();
});

test('output time leaves the pauses out, in both directions', () => {
  const timeline = {
    startedAt: 1000,
    pauses: [
      { from: 2000, to: 2500, reason: 'paused' as const },
      { from: 4000, to: 5000, reason: 'recorder-away' as const },
    ],
  };
  const pairs = [
    [1000, 0],
    [1999, 999],
    [2500, 1000],
    [3999, 2499],
    [5000, 2500],
    [6000, 3500],
  ] as const;
  for (const [wall, output] of pairs) {
    expect(outputTimeMs(timeline, wall)).toBe(output);
    expect(wallTimeMs(timeline, output)).toBe(wall);
  }
  expect(outputTimeMs(timeline, 2300)).toBe(1000);
  expect(isPaused(timeline, 2300)).toBe(true);
  expect(isPaused(timeline, 2500)).toBe(false);
  const open = { startedAt: 0, pauses: [{ from: 100, reason: 'paused' as const }] };
  expect(outputTimeMs(open, 900)).toBe(100);
});

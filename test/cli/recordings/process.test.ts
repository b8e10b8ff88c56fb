/** `meet recordings process`, `render` and `compress` as cron calls them. */
import { mkdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { RecordingFolder } from '../../../src/recorder/folder/index.ts';
import { joins, speaks } from '../../recorder/after/events.ts';
import { readFinished } from '../../recorder/after/finished-file.ts';
import { copyRecording, removeTemplates } from '../../recorder/after/recording-fixture.ts';
import { run, stopAll } from '../../support/meet-process.ts';

let directory: string;
let path: string;
const made: string[] = [];
beforeEach(async () => {
  const events = [joins('a', 'Ada', 0), speaks(1, 'a')];
  ({ directory, path } = await copyRecording('cli', { seconds: 4, events, moving: true }));
  made.push(directory);
});
afterAll(async () => {
  await stopAll();
  for (const folder of made) await rm(folder, { recursive: true, force: true });
  await removeTemplates();
});

const meet = (...words: string[]) => run(['recordings', ...words, '--dir', directory]);
const events = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as { event: string; step?: string; state?: string; note?: string; done?: boolean },
    );

test('all that is not done is done, once', async () => {
  // What is not a recording, is not readable, or is being recorded does not stop the others.
  await mkdir(join(directory, 'other'));
  await mkdir(join(directory, 'damaged'));
  await writeFile(join(directory, 'damaged', 'recording.json'), '{');
  const first = await meet('process', '--all', '--json');
  expect(first.code).toBe(0);
  expect(first.stderr).toContain('damaged');
  expect(events(first.stdout).map(({ event, step, state, done }) => [event, step ?? done, state])).toEqual([
    ...[
      ['step', 'chapters', 'done'],
      ['step', 'finish', 'done'],
      ['step', 'thumbnails', 'done'],
    ],
    ...[
      ['step', 'transcript', 'skipped'],
      ['step', 'captions', 'skipped'],
      ['processed', true, undefined],
    ],
  ]);
  expect((await readFinished(join(path, 'recording.mp4'))).chapters).toEqual([
    { startMs: 0, endMs: 4_000, title: 'Ada speaking' },
  ]);
  const second = await meet('process', '--json');
  expect({ code: second.code, stdout: second.stdout }).toEqual({ code: 0, stdout: '' });
  const again = await meet('process', 'rec-1', '--redo', 'thumbnails');
  expect(again.code).toBe(0);
  expect(again.stdout).toMatch(/^rec-1 {2}thumbnails: done in \d+\.\d s$/m);
  expect(again.stdout).toContain('No transcriber is configured');
});

test('a recording in use is left to whoever has it', async () => {
  const folder = await RecordingFolder.open(path);
  try {
    expect(await meet('process', '--all')).toMatchObject({ code: 0, stdout: '' });
    const one = await meet('process', 'rec-1', '--json');
    expect(one.code).toBe(1);
    expect(JSON.parse(one.stderr)).toMatchObject({ error: { code: 'recording-busy' } });
  } finally {
    await folder.close();
  }
});

test('a recorder that died may come back for some minutes', async () => {
  const folder = await RecordingFolder.open(path);
  await folder.update({ state: 'recording' });
  await folder.close();
  expect(await meet('process')).toMatchObject({ code: 0, stdout: '' });
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(join(path, 'events.jsonl'), longAgo, longAgo);
  await utimes(join(path, 'recording.json'), longAgo, longAgo);
  const later = await meet('process');
  expect(later.code).toBe(0);
  expect(later.stdout).toContain('finish: done');
});

test('what goes wrong has its sentence and its exit code', async () => {
  const failing = await meet('process', 'rec-1', '--transcriber', 'openai');
  expect(failing).toMatchObject({ code: 2 });
  expect(failing.stderr).toContain('meet config set transcriber-key VALUE');
  expect(await meet('process', '../rec-1')).toMatchObject({ code: 1 });
  expect(await meet('process', 'rec-1', '--all')).toMatchObject({ code: 2 });
  expect(await meet('process', 'rec-1', '--redo', 'everything')).toMatchObject({ code: 2 });
  await writeFile(join(path, 'live.mp4'), 'nothing of use');
  const broken = await meet('process', 'rec-1', '--quiet');
  expect(broken.code).toBe(1);
});

test('a finished recording is made smaller, and rendered', async () => {
  expect((await meet('compress', 'rec-1')).stderr).toContain('meet recordings process rec-1');
  await meet('process', 'rec-1');
  const before = (await stat(join(path, 'recording.mp4'))).size;
  const smaller = await meet('compress', 'rec-1', '--preset', 'ultrafast', '--crf', '32', '--json');
  expect(smaller.code).toBe(0);
  const report = JSON.parse(smaller.stdout) as { before: number; after: number };
  expect(report.before).toBe(before);
  expect(report.after).toBeLessThan(before);

  const out = join(directory, 'made.webm');
  const rendered = await meet('render', 'rec-1', '--out', out, '--size', '320x180', '--fps', '10', '--json');
  expect(rendered.code).toBe(0);
  const { codecs, seconds } = await readFinished(out);
  expect(codecs).toEqual(['vp8', 'opus']);
  expect(Math.abs(seconds - 4)).toBeLessThanOrEqual(0.15);
  expect(await meet('render', 'rec-1', '--out', join(directory, 'made.avi'))).toMatchObject({ code: 2 });
  expect(await meet('render', 'rec-1')).toMatchObject({ code: 2 });
});

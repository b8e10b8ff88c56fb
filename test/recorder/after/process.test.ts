import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseTranscript } from '../../../src/recorder/after/vtt/transcript.ts';
import { RecordingFolder, readRecording } from '../../../src/recorder/folder/index.ts';
import type { RecordingFormat } from '../../../src/recorder/types.ts';
import { colourOf, readFinished, subtitlesOf } from './finished-file.ts';
import { ALL_DONE, CHAPTERS, Meeting, resultsIn, statesOf } from './meeting.ts';
import { STARTED_AT } from './recording-fixture.ts';

/** Of the meeting's picture, by ten seconds. */
const RGB = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [255, 255, 0],
  [255, 0, 255],
];
const meeting = new Meeting();

test('makes a finished file with chapters and captions, thumbnails and a transcript', async () => {
  const path = await meeting.record();
  const report = await meeting.run(path, { transcriber: await meeting.openAi() });
  expect(report.isDone).toBe(true);
  expect(statesOf(report.steps)).toEqual(ALL_DONE);
  expect((await readRecording(path)).state).toBe('processed');
  const media = join(path, 'recording.mp4');
  expect(await readFinished(media)).toMatchObject({
    codecs: ['h264', 'aac', 'mov_text'],
    chapters: CHAPTERS,
    title: 'Budget; first = part',
    frames: 450,
  });
  // The index comes before the media.
  const head = (await readFile(media)).toString('latin1');
  expect(head.indexOf('moov')).toBeLessThan(head.indexOf('mdat'));
  expect(await readFile(join(path, 'chapters.vtt'), 'utf8')).toContain(
    '00:00:31.000 --> 00:00:45.000\nBen &amp; Co speaking\n',
  );
  const cues = parseTranscript(await readFile(join(path, 'transcript.vtt'), 'utf8'));
  expect(cues.map(({ speaker, text }) => `${speaker}: ${text}`)).toEqual([
    ...['Ada: heard 1.2 seconds', 'Ada: heard 1.4 seconds', 'Ben & Co: heard 1.2 seconds'],
  ]);
  // Sound begins at its second, a margin of 200 ms before it where there is one; the provider heard something from 0.2 s on.
  expect(cues.map(({ startMs }) => Math.round(startMs / 100) / 10)).toEqual([2.2, 22, 31.2]);
  const subtitles = await subtitlesOf(media);
  expect(subtitles).toContain('Ben & Co: heard 1.2 seconds');
  expect(subtitles).toMatch(/00:00:22,0\d\d --> 00:00:23,0\d\d\nAda: heard 1\.4 seconds/);
  expect(await resultsIn(path)).toEqual([
    ...[
      'chapters.vtt',
      'live.mp4',
      'recording.mp4',
      'sprite.jpg',
      'thumbnails',
      'thumbnails.vtt',
      'transcript.vtt',
    ],
  ]);
});

test('thumbnails are the pictures of their time, alone and on the sheet', async () => {
  const path = await meeting.record();
  await meeting.run(path);
  const names = (await readdir(join(path, 'thumbnails'))).sort();
  expect(names).toEqual(['00001.jpg', '00002.jpg', '00003.jpg', '00004.jpg', '00005.jpg']);
  const vtt = await readFile(join(path, 'thumbnails.vtt'), 'utf8');
  const parts = [...vtt.matchAll(/^(\S+) --> (\S+)\nsprite\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)$/gm)];
  expect(parts.map(([, from]) => from)).toEqual(
    names.map((_, index) => `00:00:${index === 0 ? '00' : index * 10}.000`),
  );
  for (const [index, name] of names.entries()) {
    const [, , , x, y, width, height] = parts[index]!;
    const near = RGB[index]!.map((value) => expect.closeTo(value, -1.3) as number);
    expect(await colourOf(join(path, 'thumbnails', name))).toEqual(near);
    expect(await colourOf(join(path, 'sprite.jpg'), `${width}:${height}:${x}:${y}`)).toEqual(near);
  }
});

test('a second run does nothing, and one after a change only what the change touches', async () => {
  const path = await meeting.record();
  const transcriber = await meeting.openAi();
  await meeting.run(path, { transcriber });
  const times = async () =>
    await Promise.all(
      ['recording.mp4', 'sprite.jpg', 'transcript.vtt'].map(
        async (name) => (await stat(join(path, name))).mtimeMs,
      ),
    );
  const before = await times();
  const requests = meeting.provider.requests.length;
  expect((await meeting.run(path, { transcriber })).isDone).toBe(true);
  expect(await times()).toEqual(before);
  await rm(join(path, 'sprite.jpg'));
  expect((await meeting.run(path, { transcriber, redo: ['captions'] })).isDone).toBe(true);
  const after = await times();
  expect(after[0]).toBeGreaterThan(before[0]!);
  expect(after[1]).toBeGreaterThan(before[1]!);
  expect(after[2]).toBe(before[2]);
  expect(meeting.provider.requests).toHaveLength(requests);
  expect((await readFinished(join(path, 'recording.mp4'))).codecs).toEqual(['h264', 'aac', 'mov_text']);
});

test.each([
  ['webm', ['vp8', 'opus', 'webvtt'], 'done'],
  ['m4a', ['aac', 'mov_text'], 'skipped'],
] as const)('%s recordings likewise', async (format: RecordingFormat, codecs, thumbnails) => {
  const path = await meeting.record({ format });
  const { steps } = await meeting.run(path, { transcriber: await meeting.openAi() });
  expect(statesOf(steps)).toEqual({ ...ALL_DONE, thumbnails });
  const finished = await readFinished(join(path, `recording.${format}`));
  expect(finished.codecs).toEqual(codecs);
  // Sound that begins a few milliseconds before the picture moves all of a WebM by these.
  const rounded = finished.chapters.map(({ startMs, endMs, title }) => ({
    ...{ startMs: Math.floor(startMs / 100) * 100, endMs: Math.floor(endMs / 100) * 100, title },
  }));
  expect(rounded).toEqual(CHAPTERS);
  expect(await subtitlesOf(join(path, `recording.${format}`))).toContain('heard 1.4 seconds');
});

test('without a transcriber the rest is done, and it is said', async () => {
  const path = await meeting.record();
  const { steps, isDone } = await meeting.run(path);
  expect(isDone).toBe(true);
  expect(steps.transcript).toMatchObject({
    state: 'skipped',
    note: expect.stringContaining('meet config set transcriber') as string,
  });
  expect(statesOf(steps)).toMatchObject({ finish: 'done', thumbnails: 'done', captions: 'skipped' });
  // One that is configured later makes up for it.
  const later = await meeting.run(path, { transcriber: await meeting.openAi() });
  expect(statesOf(later.steps)).toEqual(ALL_DONE);
  expect((await readFinished(join(path, 'recording.mp4'))).codecs).toContain('mov_text');
});

test('tracks alone have a transcript and chapters', async () => {
  const path = await meeting.record({ tracksOnly: true });
  const { steps, isDone } = await meeting.run(path, { transcriber: await meeting.openAi() });
  expect(isDone).toBe(true);
  expect(statesOf(steps)).toEqual({
    chapters: 'done',
    finish: 'skipped',
    thumbnails: 'skipped',
    transcript: 'done',
    captions: 'skipped',
  });
});

test('what was said in a pause is given to nobody', async () => {
  const path = await meeting.record();
  const folder = await RecordingFolder.open(path);
  await folder.update({ pauses: [{ from: STARTED_AT + 20_000, to: STARTED_AT + 30_000, reason: 'paused' }] });
  await folder.close();
  await meeting.run(path, { transcriber: await meeting.openAi() });
  expect(meeting.provider.requests).toHaveLength(2);
  const cues = parseTranscript(await readFile(join(path, 'transcript.vtt'), 'utf8'));
  expect(cues.map(({ startMs }) => Math.round(startMs / 100) / 10)).toEqual([2.2, 21.2]);
});

test('one at a time', async () => {
  const path = await meeting.record();
  const folder = await RecordingFolder.open(path);
  onTestFinished(() => folder.close());
  await expect(meeting.run(path)).rejects.toMatchObject({ code: 'recording-busy' });
});

test('an interrupt ends it, and the next run goes on', async () => {
  const path = await meeting.record();
  const interrupt = new AbortController();
  const reason = new Error('SIGINT');
  const running = meeting.run(path, {
    signal: interrupt.signal,
    onStep: (name) => {
      if (name === 'chapters') interrupt.abort(reason);
    },
  });
  await expect(running).rejects.toBe(reason);
  expect(await resultsIn(path)).toEqual(['chapters.vtt', 'live.mp4']);
  expect((await meeting.run(path)).isDone).toBe(true);
});

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ffmpeg, findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { RecordingFolder } from '../../../src/recorder/folder/index.ts';
import {
  type RenderOptions,
  type RenderReport,
  renderRecording,
} from '../../../src/recorder/render/render.ts';
import type { RecordingEvent } from '../../../src/recorder/types.ts';
import { runFfmpeg, testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { joins, shows, speaks, talks } from '../after/events.ts';
import { readFinished } from '../after/finished-file.ts';
import { copyRecording, makeTones, removeTemplates, STARTED_AT } from '../after/recording-fixture.ts';

const RED = [255, 0, 0];
const BLUE = [0, 0, 255];
const WHITE = [255, 255, 255];

let ffmpeg: Ffmpeg;
let directory: string;
beforeAll(async () => {
  ffmpeg = await findFfmpeg({ path: testFfmpeg() });
  directory = await mkdtemp(join(tmpdir(), 'meet-render-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await removeTemplates();
});

/** A camera's track: one colour, and white from a second of the file on. */
async function makeCamera(path: string, colour: string, seconds: number, whiteFrom = seconds): Promise<void> {
  const white = `drawbox=c=white:t=fill:enable='gte(t,${whiteFrom})'`;
  await runFfmpeg([
    ...['-f', 'lavfi', '-i', `color=${colour}:s=320x180:r=30:d=${seconds}`, '-vf', white],
    ...['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '300k', '-g', '30', '-f', 'matroska', path],
  ]);
}

/**
 * Twelve seconds: Ada is red and turns white at 5 s, with a tone from 5 to 6 s. Ben comes at 3 s with a blue camera, speaks
 * from 7 s on, and leaves at 10 s.
 */
const EVENTS: readonly RecordingEvent[] = [
  ...[joins('a', 'Ada', 0), ...shows(0, 'a', 'a.mkv'), ...talks(5, 'a', 'a.mka'), speaks(5, 'a')],
  ...[joins('b', 'Ben', 3), ...shows(3, 'b', 'b.mkv'), speaks(7, 'b')],
  { ...joins('b', 'Ben', 10), state: 'left' },
].sort((a, b) => a.at - b.at);

async function record(): Promise<string> {
  const { directory: copied, path } = await copyRecording('render', {
    ...{ seconds: 12, tracksOnly: true, events: EVENTS },
    tracks: async (folder) => {
      await makeCamera(join(folder, 'a.mkv'), 'red', 12, 5);
      await makeCamera(join(folder, 'b.mkv'), 'blue', 7);
      await makeTones(join(folder, 'a.mka'), [0]);
    },
  });
  folders.push(copied);
  return path;
}
const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

async function render(
  path: string,
  name: string,
  options: Partial<RenderOptions> = {},
): Promise<RenderReport> {
  return await renderRecording(path, {
    ...{ ffmpeg, out: join(directory, name), format: 'mp4', width: 640, height: 360, fps: 20, ...options },
  });
}

/** Mean colour at a second of the middle of a part of the picture, given in parts of its size. */
async function colourAt(path: string, second: number, [x, y]: readonly [number, number]): Promise<number[]> {
  const filter = `crop=iw/20:ih/20:iw*${x}-iw/40:ih*${y}-ih/40,scale=1:1:flags=area`;
  const { stdout } = await runFfmpeg([
    ...[
      '-i',
      path,
      '-ss',
      String(second),
      '-frames:v',
      '1',
      '-vf',
      filter,
      '-f',
      'rawvideo',
      '-pix_fmt',
      'rgb24',
      '-',
    ],
  ]);
  return [...stdout];
}
const near = (colour: readonly number[]) => colour.map((value) => expect.closeTo(value, -1.6) as number);

describe('gallery', () => {
  let report: RenderReport;
  let path: string;
  beforeAll(async () => {
    path = await record();
    report = await render(path, 'gallery.mp4');
  });

  test('has the length, size and chapters of the recording, and plays from its beginning', async () => {
    expect(await readFinished(report.path)).toMatchObject({
      ...{ codecs: ['h264', 'aac'], frames: 240, title: 'Budget; first = part' },
      chapters: [{ startMs: 0, endMs: 12_000, title: 'Ben speaking' }],
    });
    expect(report.seconds).toBeCloseTo(12, 0);
    expect((await runFfmpeg(['-i', report.path, '-f', 'null', '-'])).stderr).toContain('640x360');
    // Nothing else is left there or in the recording.
    expect(await readdir(directory)).toEqual(['gallery.mp4']);
    expect((await readdir(path)).sort()).toEqual(['events.jsonl', 'recording.json', 'tracks']);
  });

  test('shows who is there, at the time', async () => {
    expect(await colourAt(report.path, 2, [0.5, 0.5])).toEqual(near(RED));
    expect(await colourAt(report.path, 4, [0.25, 0.5])).toEqual(near(RED));
    expect(await colourAt(report.path, 4, [0.75, 0.5])).toEqual(near(BLUE));
    expect(await colourAt(report.path, 9, [0.25, 0.5])).toEqual(near(WHITE));
    expect(await colourAt(report.path, 9, [0.75, 0.5])).toEqual(near(BLUE));
    expect(await colourAt(report.path, 11.5, [0.75, 0.5])).toEqual(near(WHITE));
  });

  test('picture and sound agree', async () => {
    const { stderr } = await runFfmpeg([
      ...['-i', report.path, '-af', 'silencedetect=noise=-40dB:d=0.3', '-vf'],
      ...['crop=iw/20:ih/20:iw/4:ih/2,blackframe=amount=0:threshold=150', '-f', 'null', '-'],
    ]);
    const heard = Number(/silence_end: ([\d.]+)/.exec(stderr)?.[1]);
    // Red is dark, white is not.
    const dark = [...stderr.matchAll(/pblack:(\d+) .* t:([\d.]+)/g)].filter(
      ([, black]) => Number(black) > 90,
    );
    const seen = Number(dark.at(-1)?.[2]) + 1 / 20;
    expect(heard).toBeGreaterThan(4.95);
    expect(heard).toBeLessThan(5.05);
    expect(Math.abs(seen - 5)).toBeLessThanOrEqual(0.05);
  });
});

test('another layout and another one who is large', async () => {
  const path = await record();
  const { path: file } = await render(path, 'spotlight.mp4', { layout: 'spotlight', pin: 'Ben', fps: 10 });
  // Ben is large, Ada beside or below him.
  expect(await colourAt(file, 8, [0.4, 0.4])).toEqual(near(BLUE));
});

test('what was recorded in a pause is not in it', async () => {
  const path = await record();
  const folder = await RecordingFolder.open(path);
  await folder.update({ pauses: [{ from: STARTED_AT + 2_000, to: STARTED_AT + 8_000, reason: 'paused' }] });
  await folder.close();
  const { path: file } = await render(path, 'paused.webm', { format: 'webm', fps: 10 });
  const finished = await readFinished(file);
  expect(finished).toMatchObject({ codecs: ['vp8', 'opus'], frames: 60 });
  expect(await colourAt(file, 1.5, [0.5, 0.5])).toEqual(near(RED));
  expect(await colourAt(file, 3.5, [0.75, 0.5])).toEqual(near(BLUE));
});

test('sound alone', async () => {
  const { path: file } = await render(await record(), 'sound.m4a', { format: 'm4a' });
  const { stderr } = await runFfmpeg([
    '-i',
    file,
    '-af',
    'silencedetect=noise=-40dB:d=0.3',
    '-f',
    'null',
    '-',
  ]);
  expect(Number(/silence_end: ([\d.]+)/.exec(stderr)?.[1])).toBeCloseTo(5, 1);
  expect(stderr).not.toContain('Video:');
});

test('what cannot be rendered is said, and an interrupt leaves nothing', async () => {
  const path = await record();
  const interrupt = new AbortController();
  const reason = new Error('SIGINT');
  const running = render(path, 'never.mp4', {
    signal: interrupt.signal,
    onProgress: () => interrupt.abort(reason),
  });
  await expect(running).rejects.toBe(reason);
  expect((await readdir(directory)).filter((name) => name.includes('never'))).toEqual([]);

  const folder = await RecordingFolder.open(path);
  await folder.update({ state: 'recording' });
  await expect(render(path, 'never.mp4')).rejects.toMatchObject({ code: 'recording-busy' });
  await folder.update({ state: 'stopped', stoppedAt: STARTED_AT });
  await folder.close();
  await expect(render(path, 'never.mp4')).rejects.toMatchObject({ code: 'media-unusable' });
  await expect(render(join(path, 'nothing'), 'never.mp4')).rejects.toMatchObject({ code: 'not-found' });
});

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { boxAt, boxes } from '../../../src/recorder/encode/mp4/boxes.ts';
import { x264Encoding } from '../../../src/recorder/encode/settings.ts';
import type { Fragment } from '../../../src/recorder/encode/types.ts';
import { FPS, Recorded, shownPictures, toneErrors } from './material.ts';

let directory: string;
const open: Recorded[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'encode-'));
});
afterEach(async () => {
  for (const { encoder } of open.splice(0)) await encoder.close();
  await rm(directory, { recursive: true, force: true });
});

async function start(...args: Parameters<typeof Recorded.start>): Promise<Recorded> {
  const recorded = await Recorded.start(...args);
  open.push(recorded);
  return recorded;
}

/** Sequence number, and the times of both tracks in seconds. */
function timesOf({ bytes }: Fragment): { sequence: number; seconds: number[] } {
  const moof = boxAt(bytes, ['moof']).content;
  const scales = [FPS * 1000, 48_000];
  return {
    sequence: boxAt(moof, ['mfhd']).content.readUInt32BE(4),
    seconds: boxes(moof)
      .filter(({ type }) => type === 'traf')
      .map(({ content }, i) => Number(boxAt(content, ['tfdt']).content.readBigUInt64BE(4)) / scales[i]!),
  };
}

/** Pictures are where their numbers say, and of the tone nothing is missing, moved or doubled. */
async function expectInTime(path: string, seconds: number): Promise<{ seconds: number; number: number }[]> {
  const pictures = path.endsWith('.m4a') ? [] : await shownPictures(path);
  for (const { seconds: at, number } of pictures) expect(number).toBe(Math.round(at * FPS) % 50);
  const tone = await toneErrors(path);
  // Of Opus the last 6 ms are in a packet after the end.
  expect(tone.length).toBeGreaterThanOrEqual(seconds * 10 - 1);
  for (const { samples, level } of tone.slice(1, seconds * 10)) {
    expect(Math.abs(samples)).toBeLessThan(1);
    expect(level).toBeCloseTo(1, 1);
  }
  return pictures;
}

test.each(['mp4', 'webm', 'm4a'] as const)('%s: whole fragments of a second, all in time', async (format) => {
  const recorded = await start(format);
  await recorded.feed(4 * FPS);
  await recorded.encoder.finish();
  expect(recorded.inits).toHaveLength(1);
  expect(
    recorded.fragments.map(({ sequence, decodeTimeMs, keyframe }) => [sequence, decodeTimeMs, keyframe]),
  ).toEqual([0, 1, 2, 3].map((second) => [second + 1, second * 1000, true]));
  const path = join(directory, `live.${format}`);
  await recorded.save(path);
  const pictures = await expectInTime(path, 4);
  expect(pictures).toHaveLength(format === 'm4a' ? 0 : 4 * FPS);
});

test('pictures that have not changed need not be given again', async () => {
  const recorded = await start('mp4');
  await recorded.feed(FPS);
  const { encoder } = recorded;
  let given = 0;
  for (let i = 0; i < 2 * FPS; i += 1) {
    while (encoder.busy) await new Promise((resolve) => setImmediate(resolve));
    const again = encoder.stale;
    if (again) given += 1;
    encoder.picture(again ? new Uint8Array((320 * 180 * 3) / 2).fill(128) : undefined);
    encoder.sound(new Int16Array(3_200));
  }
  await encoder.finish();
  const path = join(directory, 'live.mp4');
  await recorded.save(path);
  expect(given).toBeLessThan(10);
  expect((await shownPictures(path)).length).toBeGreaterThan(3 * FPS - 9);
});

test('an encoder that is killed is replaced, and the file goes on', async () => {
  const recorded = await start('mp4');
  const first = recorded.nextFragment();
  await recorded.feed(3 * FPS);
  await first;
  const restarted = once(recorded.encoder, 'restarted');
  process.kill(recorded.encoder.pids[0]!, 'SIGKILL');
  await restarted;
  await recorded.feed(3 * FPS);
  await recorded.encoder.finish();

  expect(recorded.inits).toHaveLength(1);
  const times = recorded.fragments.map(timesOf);
  expect(times.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6]);
  const path = join(directory, 'live.mp4');
  await recorded.save(path);
  const pictures = await expectInTime(path, 6);
  // What ffmpeg had looked ahead at and not given back yet is lost, the sound of that time is not.
  const gaps = pictures.map(({ seconds }, i) => seconds - (pictures[i - 1]?.seconds ?? seconds));
  expect(Math.max(...gaps)).toBeLessThan(2);
  expect(pictures.length).toBeGreaterThan(4 * FPS);
});

test('one that does not keep up is followed by a faster one without a seam', async () => {
  const recorded = await start('mp4');
  const slow: [string, string | undefined][] = [];
  recorded.encoder.on('slow', ({ from, to }) => slow.push([from.step, to?.step]));
  // As fast as they can be made, for longer than the first seconds, which do not count.
  while (slow.length === 0) await recorded.feed(FPS, { patient: false });
  await recorded.feed(3 * FPS);
  await recorded.encoder.finish();
  expect(slow[0]).toEqual(['high', 'medium']);
  expect(recorded.encoder.leftOut).toBeGreaterThan(0);
  expect(recorded.inits).toHaveLength(1);
  const path = join(directory, 'live.mp4');
  await recorded.save(path);
  const seconds = Math.floor(recorded.encoder.outputMs / 1000);
  const tone = await toneErrors(path);
  expect(tone.length).toBeGreaterThanOrEqual(seconds * 10);
  for (const { samples, level } of tone.slice(1, seconds * 10)) {
    expect(Math.abs(samples)).toBeLessThan(1);
    expect(level).toBeCloseTo(1, 1);
  }
  const pictures = await shownPictures(path);
  for (const { seconds: at, number } of pictures.slice(-2 * FPS))
    expect(number).toBe(Math.round(at * FPS) % 50);
});

test('an encoder of another make takes over in the same file', async () => {
  const broken = { ...x264Encoding(0, 1), encoder: 'broken', options: ['-c:v', 'no-such-encoder'] };
  const other = x264Encoding(1, 1);
  const recorded = await start('mp4', {
    encodings: [
      x264Encoding(0, 1),
      { ...other, options: other.options.map((option) => option.replace('8x8dct=1', '8x8dct=0')) },
    ],
  });
  const first = recorded.nextFragment();
  await recorded.feed(3 * FPS);
  await first;
  for (let i = 0; i < 3; i += 1) {
    const restarted = once(recorded.encoder, 'restarted');
    process.kill(recorded.encoder.pids[0]!, 'SIGKILL');
    await restarted;
  }
  expect(recorded.encoder.encoding?.step).toBe('medium');
  await recorded.feed(3 * FPS);
  await recorded.encoder.finish();
  const path = join(directory, 'live.mp4');
  await recorded.save(path);
  await expectInTime(path, 6);

  const hopeless = await start('mp4', { encodings: [broken] });
  const failed = once(hopeless.encoder, 'failed');
  await hopeless.feed(3, { patient: false });
  const [error] = await failed;
  expect(error).toMatchObject({ code: 'ffmpeg-failed' });
  expect(hopeless.encoder.pids).toEqual([]);
});

test('a recording that was begun before is continued', async () => {
  const before = await start('mp4');
  await before.feed(2 * FPS);
  await before.encoder.finish();
  const path = join(directory, 'live.mp4');
  await before.save(path);
  const { LiveFile } = await import('../../../src/recorder/encode/index.ts');
  const file = await LiveFile.open(path);
  expect(file.recovered).toMatchObject({ sequence: 3, lastFragmentMs: 1_000 });
  const { sequence, header } = file.recovered!;
  const after = await start('mp4', { resume: { sequence, header, second: 4 } });
  after.encoder.on('fragment', (fragment) => file.fragment(fragment));
  await after.feed(2 * FPS);
  await after.encoder.finish();
  await file.close();
  expect(after.inits).toEqual([]);
  expect(after.fragments.map(timesOf)).toMatchObject([
    { sequence: 3, seconds: [4, expect.closeTo(4 + 1 / FPS, 1)] },
    { sequence: 4, seconds: [5, expect.closeTo(5 + 1 / FPS, 1)] },
  ]);
  const pictures = await shownPictures(path);
  expect(pictures).toHaveLength(4 * FPS);
  expect(pictures.at(-1)!.seconds).toBeCloseTo(6 - 1 / FPS, 2);
});

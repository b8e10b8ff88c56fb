import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { affordable, chooseEncodings } from '../../../src/recorder/encode/choose.ts';
import { hardwareEncodings } from '../../../src/recorder/encode/hardware.ts';
import { testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { settingsFor } from './material.ts';

let cacheFolder: string;
beforeEach(async () => {
  cacheFolder = await mkdtemp(join(tmpdir(), 'choose-'));
});
afterEach(() => rm(cacheFolder, { recursive: true, force: true }));

const steps = (msPerSecond: number, processors: number) =>
  affordable(settingsFor('mp4'), msPerSecond, processors).map(({ step, options }) => [
    step,
    options[options.indexOf('-threads') + 1],
  ]);

test('the best step that leaves the machine room comes first', () => {
  expect(steps(200, 2)).toEqual([
    ['high', '1'],
    ['medium', '1'],
    ['low', '1'],
  ]);
  expect(steps(900, 2)).toEqual([
    ['high', '2'],
    ['medium', '2'],
    ['low', '2'],
  ]);
  expect(steps(1_500, 2)).toEqual([['low', '2']]);
  expect(steps(660, 1)).toEqual([
    ['medium', '1'],
    ['low', '1'],
  ]);
  // Better a bad recording than none.
  expect(steps(60_000, 1)).toEqual([['low', '1']]);
});

test('hardware is tried where ffmpeg lists it and the device is there', async () => {
  const ffmpeg = {
    ...(await findFfmpeg({ path: testFfmpeg() })),
    encoders: new Set(['h264_nvenc', 'h264_vaapi', 'h264_qsv', 'h264_videotoolbox', 'libx264']),
  };
  const names = (platform: NodeJS.Platform, paths: string[]) =>
    hardwareEncodings(ffmpeg, platform, {
      exists: (path) => paths.includes(path),
      list: (folder) =>
        paths.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)),
    }).map(({ encoder }) => encoder);
  expect(names('linux', [])).toEqual([]);
  expect(names('linux', ['/dev/nvidiactl'])).toEqual(['h264_nvenc']);
  expect(names('linux', ['/dev/dri/card0', '/dev/dri/renderD129'])).toEqual(['h264_qsv', 'h264_vaapi']);
  expect(names('darwin', [])).toEqual(['h264_videotoolbox']);
});

test('what was found out is kept', async () => {
  const ffmpeg = await findFfmpeg({ path: testFfmpeg() });
  const options = { ffmpeg, settings: settingsFor('mp4'), cacheFolder };
  const first = await chooseEncodings(options);
  expect(first.at(-1)).toMatchObject({ encoder: 'libx264', step: 'low' });
  const kept = await readFile(join(cacheFolder, 'encoders.json'), 'utf8');
  expect(Object.values(JSON.parse(kept))).toEqual([
    { hardware: expect.any(Array), msPerPicture: expect.any(Number) },
  ]);
  expect(await chooseEncodings(options)).toEqual(first);
  expect(await readFile(join(cacheFolder, 'encoders.json'), 'utf8')).toBe(kept);
});

test('an ffmpeg without the encoder is said before anything is recorded', async () => {
  const ffmpeg = { ...(await findFfmpeg({ path: testFfmpeg() })), encoders: new Set(['aac']) };
  await expect(chooseEncodings({ ffmpeg, settings: settingsFor('mp4'), cacheFolder })).rejects.toMatchObject({
    code: 'ffmpeg-missing',
    message: expect.stringContaining('libx264'),
  });
  expect(await chooseEncodings({ ffmpeg, settings: settingsFor('m4a'), cacheFolder })).toEqual([]);
});

import { chmod, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { compressRecording } from '../../../src/recorder/after/compress.ts';
import { hasEncoder, testFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { readFinished, subtitlesOf } from './finished-file.ts';
import { ALL_DONE, CHAPTERS, Meeting, statesOf } from './meeting.ts';

const missing = hasEncoder('libx265') ? '' : '(this ffmpeg has no libx265)';
const meeting = new Meeting();
const fast = { preset: 'ultrafast', crf: 30 };

test.skipIf(missing !== '')(`a recording becomes H.265, with all that it had ${missing}`, async () => {
  const path = await meeting.record({ moving: true });
  const transcriber = await meeting.openAi();
  await meeting.run(path, { transcriber });
  const ffmpeg = await findFfmpeg({ path: testFfmpeg() });
  const media = join(path, 'recording.mp4');
  const subtitles = await subtitlesOf(media);
  const before = (await stat(media)).size;
  const report = await compressRecording(path, { ffmpeg, ...fast });
  expect(report).toMatchObject({ id: 'rec-1', before, after: (await stat(media)).size });
  expect(report.after).toBeLessThan(before);
  expect(report.likeness).toBeGreaterThan(0.85);
  expect(await readFinished(media)).toMatchObject({
    ...{
      codecs: ['hevc', 'aac', 'mov_text'],
      chapters: CHAPTERS,
      frames: 450,
      title: 'Budget; first = part',
    },
  });
  expect(await subtitlesOf(media)).toBe(subtitles);
  const head = (await readFile(media)).toString('latin1');
  expect(head.indexOf('moov')).toBeLessThan(head.indexOf('mdat'));

  // Again: nothing to do, neither for it nor for the other steps.
  expect(await compressRecording(path, { ffmpeg, ...fast })).toMatchObject({ note: 'It is H.265 already.' });
  expect(statesOf((await meeting.run(path, { transcriber })).steps)).toEqual(ALL_DONE);
  expect((await readFinished(media)).codecs[0]).toBe('hevc');
});

test.skipIf(missing !== '')(`an encoder that spoils the picture replaces nothing ${missing}`, async () => {
  const path = await meeting.record();
  await meeting.run(path);
  const media = join(path, 'recording.mp4');
  const before = await readFile(media);
  // As a faulty graphics driver does: green from edge to edge.
  const wrapper = join(path, '..', 'ffmpeg.sh');
  await writeFile(
    wrapper,
    `#!/bin/sh\nfor last; do shift; [ "$last" = libx265 ] && set -- "$@" libx265 -vf drawbox=c=green:t=fill || set -- "$@" "$last"; done\nexec ${testFfmpeg()} "$@"\n`,
  );
  await chmod(wrapper, 0o755);
  const ffmpeg = await findFfmpeg({ path: wrapper });
  await expect(compressRecording(path, { ffmpeg, ...fast })).rejects.toMatchObject({
    code: 'ffmpeg-failed',
    message: expect.stringMatching(/does not look like it \(SSIM 0\.\d+\); the original stays\.$/) as string,
  });
  expect((await readFile(media)).equals(before)).toBe(true);
  expect((await readdir(path)).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('what cannot be compressed is said', async () => {
  const path = await meeting.record();
  const ffmpeg = await findFfmpeg({ path: testFfmpeg() });
  await expect(compressRecording(path, { ffmpeg })).rejects.toMatchObject({
    code: 'wrong-state',
    hint: 'Finish it with: meet recordings process rec-1',
  });
  await meeting.run(path);
  await expect(compressRecording(path, { ffmpeg: { ...ffmpeg, encoders: new Set() } })).rejects.toMatchObject(
    { code: 'ffmpeg-missing' },
  );
  await rm(join(path, 'recording.json'));
  await expect(compressRecording(path, { ffmpeg })).rejects.toMatchObject({ code: 'not-found' });
  const webm = await meeting.record({ format: 'webm' });
  await expect(compressRecording(webm, { ffmpeg })).rejects.toMatchObject({ code: 'wrong-state' });
});

/** Files that cannot be sent: a sentence and the right exit code before any server is asked, and nothing left running. */
import { chmod, copyFile, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runFfmpeg } from '../support/barcode-ffmpeg.ts';
import { BOUNDED_ROOT } from '../support/bounded-root.ts';
import { nothingLeft, run } from '../support/meet-process.ts';

/** Nobody listens there: whoever gets that far ends with 4. */
const MEETING = 'http://127.0.0.1:1/meetings/abc-defg-hij';

let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-bad-media-'));
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=15:d=3'];
  const sound = ['-f', 'lavfi', '-i', 'sine=d=3'];
  await Promise.all([
    runFfmpeg([...picture, ...sound, file('whole.mp4')]),
    runFfmpeg([...picture, ...sound, file('whole.mkv')]),
    runFfmpeg([...sound, file('sound.wav')]),
    runFfmpeg([...picture, '-an', file('silent.webm')]),
    runFfmpeg([...picture, '-frames:v', '1', file('picture.png')]),
    mkdir(file('folder.mp4')),
    writeFile(file('empty.mp4'), ''),
    writeFile(file('text.mp4'), 'This is no film.\n'.repeat(1000)),
    writeFile(file('noise.mkv'), Buffer.from(Array.from({ length: 50_000 }, (_, n) => (n * 7919) % 251))),
    writeFile(file('list.m3u8'), '#EXTM3U\n#EXTINF:1,\n/etc/passwd\n'),
  ]);
  for (const name of ['whole.mp4', 'whole.mkv', 'sound.wav']) {
    const data = await readFile(file(name));
    await writeFile(file(`half-${name}`), data.subarray(0, data.length / 2));
  }
  await copyFile(file('sound.wav'), file('private.wav'));
  await chmod(file('private.wav'), 0);
}, 60_000);
afterAll(nothingLeft);

const [PICTURE, SOUND] = ['--video', '--audio'];
/** Option, file, exit code, error code, words. */
const BAD: [string, string, number, string, RegExp][] = [
  [PICTURE, 'missing.mp4', 2, 'media-not-found', /^There is no file \/.*missing\.mp4/],
  [SOUND, 'missing.wav', 2, 'media-not-found', /^There is no file/],
  [PICTURE, 'whole.mp4/below', 2, 'media-not-found', /^There is no file/],
  [PICTURE, 'folder.mp4', 2, 'media-not-found', /is a folder/],
  [PICTURE, '/dev/zero', 1, 'media-unusable', /is not a regular file/],
  [PICTURE, 'empty.mp4', 1, 'media-unusable', /is empty/],
  [PICTURE, 'half-whole.mp4', 1, 'media-unusable', /truncated/],
  [PICTURE, 'half-whole.mkv', 1, 'media-unusable', /truncated/],
  [SOUND, 'half-sound.wav', 1, 'media-unusable', /truncated/],
  [PICTURE, 'text.mp4', 1, 'media-unusable', /is not a media file/],
  [PICTURE, 'noise.mkv', 1, 'media-unusable', /is not a media file/],
  [PICTURE, 'list.m3u8', 1, 'media-unusable', /is not a media file/],
  [SOUND, 'silent.webm', 1, 'media-unusable', /holds no sound/],
  [SOUND, 'picture.png', 1, 'media-unusable', /holds no sound/],
];

test.each(BAD)('%s %s', async (option, name, code, errorCode, says) => {
  const command = await run(['join', MEETING, '--json', option, name.startsWith('/') ? name : file(name)]);
  expect(command.error).toMatchObject({ code: errorCode, message: expect.stringMatching(says) });
  expect({
    code: command.code,
    events: command.events,
    lines: command.stderr.trim().split('\n').length,
  }).toEqual({
    code,
    events: [],
    lines: 1,
  });
});

test('a picture from one file needs a picture in it when the sound is from another', async () => {
  const command = await run([
    'join',
    MEETING,
    '--json',
    PICTURE,
    file('sound.wav'),
    SOUND,
    file('sound.wav'),
  ]);
  expect(command).toMatchObject({
    code: 1,
    error: { message: expect.stringMatching(/sound\.wav holds no picture/) },
  });
});

test('people get the same sentence with what to do', async () => {
  const { code, stdout, stderr } = await run(['join', MEETING, PICTURE, file('half-whole.mp4')]);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toBe(
    `meet: ${file('half-whole.mp4')} is truncated: it ends before its own header says.\n      Copy or download the file again.\n`,
  );
});

test('an ffmpeg that is none is named, and does not keep the command waiting', async () => {
  const began = performance.now();
  for (const args of [['--ffmpeg', '/etc/passwd'], []]) {
    const env = args.length > 0 ? {} : { MEET_FFMPEG: '/nonexistent/ffmpeg' };
    // Not in the cache of other tests, or no ffmpeg would be needed.
    const command = await run(['join', MEETING, '--json', PICTURE, file('whole.mp4'), ...args], {
      env: { ...env, MEET_CACHE: file('cache') },
    });
    expect(command.code).toBe(1);
    expect(command.error).toMatchObject({
      code: 'ffmpeg-missing',
      message: expect.stringMatching(/passwd|nonexistent/),
    });
  }
  expect(performance.now() - began).toBeLessThan(10_000);
});

test.skipIf(process.getuid?.() !== 0)('a file that may not be read', async () => {
  const command = await run(['join', MEETING, '--json', SOUND, file('private.wav')], {
    prefix: BOUNDED_ROOT,
  });
  expect(command).toMatchObject({
    code: 2,
    error: { message: expect.stringMatching(/may not be read by this user/) },
  });
});

test('good files get as far as the server that is not there', async () => {
  for (const name of ['whole.mp4', 'picture.png']) {
    expect(await run(['join', MEETING, PICTURE, file(name)])).toMatchObject({ code: 4 });
  }
  await nothingLeft();
});

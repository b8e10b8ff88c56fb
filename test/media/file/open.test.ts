import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { openFile } from '../../../src/media/file/open.ts';
import { openTestPattern } from '../../../src/media/file/test-pattern.ts';
import { audioOf, ffmpegChildren, makeMedia, play, shapes, temporaryFolder, tone, videoOf } from './made.ts';

const folder = temporaryFolder();
const cacheDir = folder.path('cache');
/** An ffmpeg that cannot be started: what is opened with it comes from the cache. */
const noFfmpeg = { path: folder.path('no-ffmpeg') };

afterEach(() => expect(ffmpegChildren()).toEqual([]));
afterAll(() => folder.remove());

const clip = await makeMedia(
  folder.path('clip.mp4'),
  ...shapes('1280x720', 1),
  ...tone(1),
  '-pix_fmt',
  'yuv420p',
);

const spacing = (timestamps: readonly { timestampUs: number }[]) =>
  timestamps.slice(1).map((frame, i) => frame.timestampUs - timestamps[i]!.timestampUs);

// A machine that is busy for 200 ms makes a source pause, which some of these tests would take for a fault.
describe('what can be opened', { retry: 2 }, () => {
  test('picture and sound, three layers', async () => {
    const source = await openFile({ video: clip, cacheDir });
    expect(source.video?.layers.map((layer) => layer.height)).toEqual([180, 360, 720]);
    expect(source.audio).toEqual({ codec: 'opus', channels: 1 });
    const { frames, end } = await play(source);
    expect(end).toBe('ended');
    const lowest = videoOf(frames, 0);
    expect(lowest).toHaveLength(30);
    for (const layer of [1, 2]) {
      expect(videoOf(frames, layer).map((frame) => frame.timestampUs)).toEqual(
        lowest.map((frame) => frame.timestampUs),
      );
    }
    expect(frames[0]).toMatchObject({
      kind: 'video',
      layer: 0,
      keyframe: true,
      timestampUs: 0,
      durationUs: 33_333,
    });
    expect(audioOf(frames).length).toBeGreaterThanOrEqual(50);
    expect(new Set(spacing(audioOf(frames)))).toEqual(new Set([20_000]));
  });

  test('from the cache without ffmpeg', async () => {
    await (await openFile({ video: clip, cacheDir })).close();
    const { frames, end } = await play(await openFile({ video: clip, cacheDir, ffmpeg: noFfmpeg }));
    expect(end).toBe('ended');
    expect(videoOf(frames, 2)).toHaveLength(30);
  });

  test.each(['mkv', 'webm', 'mov'])('%s', async (ending) => {
    const file = await makeMedia(
      folder.path(`a.${ending}`),
      ...shapes('320x180', 0.5),
      ...tone(0.5, 2),
      '-pix_fmt',
      'yuv420p',
    );
    const { frames } = await play(await openFile({ video: file, cacheDir }));
    expect(videoOf(frames, 0)).toHaveLength(15);
    expect(audioOf(frames).length).toBeGreaterThanOrEqual(25);
  });

  test('a picture without sound, turned, upright', async () => {
    const plain = await makeMedia(
      folder.path('plain.mp4'),
      ...shapes('640x360', 0.5, 25),
      '-pix_fmt',
      'yuv420p',
    );
    const turned = await makeMedia(
      folder.path('turned.mp4'),
      '-i',
      plain,
      '-c',
      'copy',
      '-metadata:s:v:0',
      'rotate=90',
    );
    const source = await openFile({ video: turned, cacheDir });
    expect(source.audio).toBeUndefined();
    expect(source.video?.layers.map(({ width, height }) => [width, height])).toEqual([
      [180, 320],
      [360, 640],
    ]);
    const { frames } = await play(source);
    expect(videoOf(frames, 1)).toHaveLength(13);
    // RFC 6386 section 9.1: size in the keyframe.
    const key = videoOf(frames, 1)[0]!.data;
    expect([key.readUInt16LE(6) & 0x3fff, key.readUInt16LE(8) & 0x3fff]).toEqual([360, 640]);
  });

  test.each([
    { ending: 'wav', channels: 1 as const },
    { ending: 'mp3', channels: 2 as const },
  ])('sound alone, $ending', async ({ ending, channels }) => {
    const file = await makeMedia(folder.path(`sound.${ending}`), ...tone(0.5, channels));
    for (const options of [{ audio: file }, { video: file }]) {
      const source = await openFile({ ...options, cacheDir });
      expect(source.video).toBeUndefined();
      expect(source.audio).toEqual({ codec: 'opus', channels });
      const { frames } = await play(source);
      expect(frames.length).toBeGreaterThanOrEqual(25);
      // A sine of an eighth of full scale, which ffmpeg halves in power for each of two channels.
      expect(frames[5]!.audioLevel).toBeGreaterThanOrEqual(20);
      expect(frames[5]!.audioLevel).toBeLessThanOrEqual(26);
    }
  });

  test('a still image goes on', async () => {
    const file = await makeMedia(folder.path('still.png'), ...shapes('1280x720', 1), '-frames:v', '1');
    const source = await openFile({ video: file, cacheDir });
    const { frames } = await play(source, (frame) => frame.timestampUs >= 1_200_000);
    expect(new Set(spacing(videoOf(frames, 0)))).toEqual(new Set([100_000]));
    expect(videoOf(frames, 2).flatMap((frame, i) => (frame.keyframe ? [i] : []))).toEqual([0, 10]);
  });

  test('a video of one picture is a still image', async () => {
    const file = await makeMedia(folder.path('one.mkv'), ...shapes('320x180', 1), '-frames:v', '1');
    const { frames } = await play(
      await openFile({ video: file, cacheDir }),
      (frame) => frame.timestampUs >= 300_000,
    );
    expect(videoOf(frames, 0)).toHaveLength(4);
  });

  test('a still image with sound ends with the sound', async () => {
    const sound = await makeMedia(folder.path('speech.wav'), ...tone(0.6));
    const image = await makeMedia(folder.path('face.png'), ...shapes('320x180', 1), '-frames:v', '1');
    const { frames, end } = await play(await openFile({ video: image, audio: sound, cacheDir }));
    expect(end).toBe('ended');
    expect(videoOf(frames, 0).length).toBeGreaterThanOrEqual(6);
    expect(audioOf(frames).length).toBeGreaterThanOrEqual(30);
  });

  test('times of a variable frame rate', async () => {
    const file = await makeMedia(
      folder.path('variable.mkv'),
      ...[...shapes('320x180', 1), '-vf', "select='not(mod(n,7))+gt(n,20)'", '-vsync', 'vfr'],
    );
    const { frames } = await play(await openFile({ video: file, cacheDir }));
    const shown = videoOf(frames, 0).map((frame) => Math.round((frame.timestampUs * 30) / 1e6));
    expect(shown).toEqual([0, 7, 14, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect(videoOf(frames, 0)[0]!.durationUs).toBeGreaterThan(230_000);
  });

  test('picture of one file and sound of another', async () => {
    const sound = await makeMedia(folder.path('other.wav'), ...tone(0.5, 2));
    const source = await openFile({ video: clip, audio: sound, cacheDir });
    expect(source.audio?.channels).toBe(2);
    await source.close();
  });

  test('without a cache, and with a cache folder that cannot be', async () => {
    writeFileSync(folder.path('no-folder'), '');
    for (const cacheDir of [undefined, folder.path('no-folder')]) {
      const source = await openFile({ video: clip, ...(cacheDir && { cacheDir }) });
      expect(videoOf((await play(source)).frames, 2)).toHaveLength(30);
    }
  });

  test('names that mean something to ffmpeg', async () => {
    for (const name of ['a b.mp4', "it's.mp4", 'a:b.mp4', '-i.mp4', 'ü%20.mp4']) {
      writeFileSync(folder.path(name), readFileSync(clip));
      await (await openFile({ video: folder.path(name), cacheDir: folder.path('named') })).close();
    }
  });
});

describe('what cannot be opened', () => {
  const file = (name: string, content: Buffer | string) => {
    writeFileSync(folder.path(name), content);
    return folder.path(name);
  };
  const bytes = readFileSync(clip);

  test('a file that is not there', async () => {
    await expect(openFile({ video: folder.path('none.mp4'), cacheDir })).rejects.toMatchObject({
      code: 'media-not-found',
      message: `There is no file ${folder.path('none.mp4')}.`,
    });
  });

  test('a folder', async () => {
    mkdirSync(folder.path('folder.mp4'));
    await expect(openFile({ video: folder.path('folder.mp4'), cacheDir })).rejects.toMatchObject({
      code: 'media-not-found',
    });
  });

  test('a device', async () => {
    await expect(openFile({ video: '/dev/zero', cacheDir })).rejects.toMatchObject({
      code: 'media-unusable',
    });
  });

  test('an empty file', async () => {
    await expect(openFile({ video: file('empty.mp4', ''), cacheDir })).rejects.toMatchObject({
      code: 'media-unusable',
      message: expect.stringContaining('empty.mp4 is empty'),
    });
  });

  test('text', async () => {
    await expect(openFile({ video: file('words.mp4', 'no media at all\n'), cacheDir })).rejects.toMatchObject(
      {
        code: 'media-unusable',
        message: expect.stringContaining('words.mp4'),
      },
    );
  });

  test.each([0.1, 0.5, 0.99])('an MP4 cut at %d', async (part) => {
    const cut = file(`cut-${part}.mp4`, bytes.subarray(0, bytes.length * part));
    await expect(openFile({ video: cut, cacheDir })).rejects.toMatchObject({
      code: 'media-unusable',
      message: expect.stringContaining('truncated'),
    });
  });

  test.each(['mkv', 'wav'])('a cut %s', async (ending) => {
    const whole = await makeMedia(folder.path(`whole.${ending}`), ...tone(1));
    const cut = file(`cut.${ending}`, readFileSync(whole).subarray(0, statSync(whole).size / 2));
    await expect(openFile({ audio: cut, cacheDir })).rejects.toMatchObject({
      code: 'media-unusable',
      message: expect.stringContaining('truncated'),
    });
  });

  test('an MP4 whose pictures are noise', async () => {
    const noisy = Buffer.from(bytes);
    noisy.fill(0x5a, noisy.indexOf('mdat') + 4, noisy.indexOf('moov') - 4);
    await expect(openFile({ video: file('noisy.mp4', noisy), cacheDir })).rejects.toMatchObject({
      code: expect.stringMatching(/media-unusable|ffmpeg-failed/),
      message: expect.stringContaining('noisy.mp4'),
    });
  });

  test('sound of a file without sound', async () => {
    const silent = await makeMedia(folder.path('silent.mp4'), ...shapes('64x64', 0.2));
    await expect(openFile({ audio: silent, cacheDir })).rejects.toMatchObject({
      code: 'media-unusable',
      message: `${silent} holds no sound.`,
    });
  });

  test('anything without ffmpeg', async () => {
    await expect(
      openFile({ video: clip, cacheDir: folder.path('unused'), ffmpeg: noFfmpeg }),
    ).rejects.toMatchObject({
      code: 'ffmpeg-missing',
    });
  });

  test('a codec that this ffmpeg cannot encode', async () => {
    const ffmpeg = { ...(await findFfmpeg()), encoders: new Set(['libvpx', 'libopus']) };
    await expect(openFile({ video: clip, codec: 'av1', ffmpeg, cacheDir })).rejects.toMatchObject({
      code: 'ffmpeg-missing',
      message: expect.stringContaining('AV1'),
    });
    expect(readdirSync(cacheDir).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });

  test('when it is no longer wanted', async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'));
    await expect(openFile({ video: clip, cacheDir, signal })).rejects.toThrow('no longer wanted');
  });
});

describe('encoding while playing', () => {
  const long = folder.path('long.mkv');
  const makeLong = () =>
    existsSync(long) ? long : makeMedia(long, ...shapes('1280x720', 20), ...tone(20), '-preset', 'ultrafast');

  test('ffmpeg killed meanwhile: says so and leaves nothing', async () => {
    const killed = folder.path('killed');
    const source = await openFile({ video: await makeLong(), cacheDir: killed });
    const [pid] = ffmpegChildren();
    const { frames, end } = await play(source, (frame) => {
      if (frame.timestampUs === 100_000) process.kill(pid!, 'SIGKILL');
      return undefined;
    });
    expect(frames.length).toBeGreaterThan(0);
    expect(end).toMatchObject({
      code: 'ffmpeg-failed',
      message: `ffmpeg was ended by SIGKILL while encoding ${long}.`,
    });
    expect(readdirSync(killed)).toEqual([]);
  }, 60_000);

  test('closed meanwhile: ends ffmpeg and leaves nothing', async () => {
    const closed = folder.path('closed');
    const source = await openFile({ video: await makeLong(), cacheDir: closed });
    expect(ffmpegChildren()).toHaveLength(1);
    await Promise.all([source.close(), source.close()]);
    expect(ffmpegChildren()).toEqual([]);
    expect(readdirSync(closed)).toEqual([]);
  }, 60_000);

  test('two at the same time share one ffmpeg, and one may close', async () => {
    const shared = folder.path('shared');
    const [first, second] = await Promise.all([
      openFile({ video: await makeLong(), cacheDir: shared }),
      openFile({ video: await makeLong(), cacheDir: shared }),
    ]);
    expect(ffmpegChildren()).toHaveLength(1);
    await first.close();
    expect(ffmpegChildren()).toHaveLength(1);
    const { frames } = await play(second, (frame) => frame.timestampUs > 1_000_000);
    expect(spacing(audioOf(frames)).every((step) => step >= 20_000)).toBe(true);
  }, 60_000);
});

test('the test pattern beeps at each second and never ends', async () => {
  const source = await openTestPattern({ cacheDir, width: 320, height: 180 });
  const { frames } = await play(source, (frame) => frame.timestampUs >= 2_200_000);
  const beeps = audioOf(frames).filter((frame) => frame.audioLevel! < 60);
  expect(beeps.length % 5).toBe(0);
  expect(beeps.length).toBeGreaterThanOrEqual(10);
  expect(beeps[0]!.timestampUs).toBe(0);
});

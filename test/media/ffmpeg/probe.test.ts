import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import installer from '@ffmpeg-installer/ffmpeg';
import { afterAll, describe, expect, test } from 'vitest';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { probe } from '../../../src/media/ffmpeg/probe.ts';
import { makeMedia, shapes, temporaryFolder, tone } from '../file/made.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const turned = await makeMedia(
  folder.path('plain.mp4'),
  ...shapes('320x180', 1, 25),
  ...tone(1),
  '-pix_fmt',
  'yuv420p',
).then((plain) =>
  makeMedia(folder.path('turned.mp4'), '-i', plain, '-c', 'copy', '-metadata:s:v:0', 'rotate=90'),
);
const anamorphic = await makeMedia(
  folder.path('pal.mkv'),
  ...shapes('720x576', 0.5, 25),
  '-vf',
  'setsar=16/15',
);
const picture = await makeMedia(folder.path('picture.png'), ...shapes('64x48', 1), '-frames:v', '1');
const photo = await makeMedia(folder.path('photo.jpg'), ...shapes('64x48', 1), '-frames:v', '1');
const song = await makeMedia(
  folder.path('song.mp3'),
  ...[
    ...tone(1, 2),
    '-i',
    photo,
    '-map',
    '0',
    '-map',
    '1',
    '-c:v',
    'copy',
    '-disposition:v:0',
    'attached_pic',
  ],
);
const subtitles = folder.path('words.srt');
writeFileSync(subtitles, '1\n00:00:00,000 --> 00:00:01,000\nHello\n\n');
const text = folder.path('text.txt');
writeFileSync(text, 'Just some words.\n');
const noise = folder.path('noise.bin');
writeFileSync(noise, spawnSync('head', ['-c', '4000', '/dev/urandom']).stdout);
const playlist = folder.path('list.m3u8');
writeFileSync(
  playlist,
  '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n',
);

describe.each([
  { name: 'the newest ffmpeg', path: (await findFfmpeg()).path },
  { name: 'the ffmpeg of the installer', path: installer.path },
])('$name', async ({ path }) => {
  const ffmpeg = await findFfmpeg({ path });

  test('sees a turned picture as it is shown', async () => {
    expect(await probe(ffmpeg, turned)).toMatchObject({
      duration: expect.closeTo(1, 1),
      video: { width: 180, height: 320, frameRate: 25, still: false },
      audio: { channels: 1 },
    });
  });

  test('sees pixels that are not square', async () => {
    expect(await probe(ffmpeg, anamorphic)).toMatchObject({ video: { width: 768, height: 576 } });
  });

  test('sees still images', async () => {
    expect((await probe(ffmpeg, picture)).video).toMatchObject({ width: 64, height: 48, still: true });
    expect((await probe(ffmpeg, photo)).video).toMatchObject({ width: 64, height: 48, still: true });
  });

  test('takes the cover of a song for no picture', async () => {
    const found = await probe(ffmpeg, song);
    expect(found.video).toBeUndefined();
    expect(found.audio).toMatchObject({ channels: 2 });
  });

  test.each([subtitles, text, noise, playlist])('refuses %s', async (file) => {
    await expect(probe(ffmpeg, file)).rejects.toMatchObject({
      code: 'media-unusable',
      message: expect.stringContaining(file),
    });
  });
});

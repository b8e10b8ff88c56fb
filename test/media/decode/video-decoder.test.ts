/** The decoder on real encoded video of every codec, with the pictures that come out looked at. */
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { type Picture, VideoDecoder } from '../../../src/media/decode/video-decoder.ts';
import type { VideoCodec } from '../../../src/media/types.ts';
import { encodeVideo, VIDEO_ENCODERS } from '../rtp/encoded.ts';

const open: VideoDecoder[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((decoder) => decoder.close()));
});

async function start(codec: VideoCodec, maxFps = 100, size = { width: 160, height: 90 }) {
  const decoder = await VideoDecoder.start({ codec, ...size, maxFps });
  open.push(decoder);
  const pictures: Picture[] = [];
  decoder.on('picture', (picture) => pictures.push(picture));
  const count = async (wanted: number) => {
    while (pictures.length < wanted) await once(decoder, 'picture');
    return pictures;
  };
  return { decoder, pictures, count };
}

const video = { width: 320, height: 180, frames: 30, gop: 10 };
const mean = ({ rgb }: Picture) => rgb.reduce((sum, value) => sum + value, 0) / rgb.length;

test.each(VIDEO_ENCODERS)(
  '$codec of $encoder: each picture comes out as it comes in',
  async ({ encoder, codec }) => {
    const { frames, keyframes } = await encodeVideo(encoder, video);
    const { decoder, count } = await start(codec);
    // One after the other: a decoder that holds pictures back would never give the next one out.
    for (const [index, data] of frames.slice(0, 8).entries()) {
      decoder.write({ data, keyframe: keyframes.includes(index), mediaTimeMs: 1_000 + index * 33 });
      if (codec === 'vp8' || codec === 'h264') await count(index + 1);
    }
    for (const [index, data] of frames.entries()) {
      if (index < 8) continue;
      decoder.write({ data, keyframe: keyframes.includes(index), mediaTimeMs: 1_000 + index * 33 });
    }
    const pictures = await count(27);
    for (const picture of pictures) {
      expect(picture).toMatchObject({ width: 160, height: 90 });
      expect(picture.rgb).toHaveLength(160 * 90 * 3);
      // The test picture is colourful all over.
      expect(mean(picture)).toBeGreaterThan(60);
      expect(mean(picture)).toBeLessThan(200);
    }
    expect(pictures[1]!.rgb.equals(pictures[20]!.rgb)).toBe(false);
  },
);

describe('VP8', () => {
  const encoded = () => encodeVideo('libvpx', video);

  test('what comes before a keyframe is left out, and no more pictures than asked for are given out', async () => {
    const { frames } = await encoded();
    const { decoder, count } = await start('vp8', 10);
    for (let index = 5; index < 30; index += 1)
      decoder.write({ data: frames[index]!, keyframe: index % 10 === 0, mediaTimeMs: index * 33 });
    // Twenty pictures of 33 ms from the keyframe on, at ten a second.
    const pictures = await count(6);
    expect(pictures.length).toBeLessThanOrEqual(8);
  });

  test('a stream that begins anew at another time and in another size goes on in the same size', async () => {
    const { frames } = await encoded();
    const tall = await encodeVideo('libvpx', { ...video, width: 90, height: 180 });
    const { decoder, count } = await start('vp8');
    frames.slice(0, 10).forEach((data, index) => {
      decoder.write({ data, keyframe: index === 0, mediaTimeMs: 5_000_000 + index * 33 });
    });
    tall.frames.slice(0, 10).forEach((data, index) => {
      decoder.write({ data, keyframe: index === 0, mediaTimeMs: 7 + index * 33 });
    });
    const last = (await count(20)).at(-1)!;
    expect(last).toMatchObject({ width: 160, height: 90 });
    // A tall picture stands in the middle, on black.
    const pixel = (x: number) => [...last.rgb.subarray((45 * 160 + x) * 3, (45 * 160 + x) * 3 + 3)];
    expect(Math.max(...pixel(5), ...pixel(154))).toBeLessThan(20);
    expect(Math.max(...pixel(80))).toBeGreaterThan(40);
  });

  test('says so when ffmpeg ends, and ends it when closed', async () => {
    const { frames } = await encoded();
    const { decoder, count } = await start('vp8');
    decoder.write({ data: frames[0]!, keyframe: true, mediaTimeMs: 0 });
    await count(1);
    const failed = once(decoder, 'failed');
    process.kill(decoder.pid!, 'SIGKILL');
    const [error] = await failed;
    expect(error).toMatchObject({ code: 'ffmpeg-failed' });
    decoder.write({ data: frames[1]!, keyframe: false, mediaTimeMs: 33 });
    const other = (await start('vp8')).decoder;
    await other.close();
    await other.close();
    expect(other.pid).toBeUndefined();
  });
});

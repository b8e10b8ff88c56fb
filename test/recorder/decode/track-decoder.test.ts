/** Decoders on real encoded video: what comes out is looked at pixel by pixel and by its tags. */
import { once } from 'node:events';
import { kill } from 'node:process';
import { afterEach, describe, expect, test } from 'vitest';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import type { VideoCodec } from '../../../src/media/types.ts';
import { PixelMemory } from '../../../src/recorder/canvas/pixels.ts';
import { Decoders } from '../../../src/recorder/decode/decoders.ts';
import { type DecodedPicture, TrackDecoder } from '../../../src/recorder/decode/track-decoder.ts';
import { encodeVideo, VIDEO_ENCODERS } from '../../media/rtp/encoded.ts';

const closing: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0).reverse()) await one.close();
});

const memory = new PixelMemory();
const small = { width: 160, height: 90, frames: 30, gop: 10 };

/** A picture whose pixels are copied, since they are gone after the event. */
type Kept = Omit<DecodedPicture, 'block'>;

function start(codec: VideoCodec, decoders = new Decoders(memory)) {
  const decoder = new TrackDecoder(codec, decoders);
  closing.push(decoders, decoder);
  const pictures: Kept[] = [];
  let wanted = 0;
  decoder.on('keyframe-needed', () => {
    wanted += 1;
  });
  decoder.on('picture', ({ width, height, data, frame }) => {
    pictures.push({ width, height, frame, data: Uint8Array.from(data) });
  });
  const count = async (number: number) => {
    while (pictures.length < number) await once(decoder, 'picture');
  };
  return { decoder, pictures, count, wanted: () => wanted };
}

const keyframeSize = ({ width, height }: { width: number; height: number }) => ({ width, height });
/** Mean of the luma. */
const brightness = ({ width, height, data }: Kept) =>
  data.subarray(0, width * height).reduce((sum, value) => sum + value, 0) / (width * height);

test.each(VIDEO_ENCODERS)(
  '$codec of $encoder: the picture of each frame, with its tag',
  async ({ encoder, codec }) => {
    const { frames, keyframes } = await encodeVideo(encoder, small);
    const { decoder, pictures, count } = start(codec);
    for (const [index, data] of frames.entries()) {
      const keyframe = keyframes.includes(index);
      const size = keyframe ? keyframeSize(small) : {};
      decoder.write({ data, keyframe, mediaTimeMs: index * 33, captureTimeMs: 5_000 + index * 33, ...size });
      // One after the other: a decoder that holds pictures back would never give the next one out.
      if (codec === 'vp8' || codec === 'h264') await count(index + 1);
    }
    await count(27);
    for (const [index, { width, height, data, frame }] of pictures.entries()) {
      expect({ width, height, bytes: data.length }).toEqual({ width: 160, height: 90, bytes: 21_600 });
      expect(frame).toEqual({ sequence: index, mediaTimeMs: index * 33, capturedAtMs: 5_000 + index * 33 });
    }
    expect(brightness(pictures[0]!)).toBeGreaterThan(70);
    expect(brightness(pictures[0]!)).toBeLessThan(180);
    expect(pictures[1]!.data).not.toEqual(pictures[20]!.data);
  },
);

describe('VP8', () => {
  test('the size of the pictures changes where the layer does, without one missing', async () => {
    const large = { ...small, width: 320, height: 180 };
    const [low, high] = await Promise.all([encodeVideo('libvpx', small), encodeVideo('libvpx', large)]);
    const { decoder, pictures, count } = start('vp8');
    for (let index = 0; index < 30; index += 1) {
      const [size, { frames }] = index >= 10 && index < 20 ? [large, high] : [small, low];
      const keyframe = index % 10 === 0;
      const shape = keyframe ? keyframeSize(size) : {};
      decoder.write({ data: frames[index]!, keyframe, mediaTimeMs: index * 33, ...shape });
      await count(index + 1);
    }
    expect(pictures.map(({ width }) => width)).toEqual([
      ...Array(10).fill(160),
      ...Array(10).fill(320),
      ...Array(10).fill(160),
    ]);
    expect(pictures.map(({ frame }) => frame.sequence)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    const alone = start('vp8');
    alone.decoder.write({ data: high.frames[10]!, keyframe: true, mediaTimeMs: 0 });
    await alone.count(1);
    expect(Buffer.from(pictures[10]!.data).equals(alone.pictures[0]!.data)).toBe(true);
  });

  test('a decoder that is killed is followed by another one at the next keyframe', async () => {
    const { frames } = await encodeVideo('libvpx', small);
    const { decoder, pictures, count, wanted } = start('vp8');
    const write = (index: number) =>
      decoder.write({ data: frames[index]!, keyframe: index % 10 === 0, mediaTimeMs: index * 33 });
    for (let index = 0; index < 5; index += 1) write(index);
    await count(5);
    const failed = once(decoder, 'failed');
    kill(decoder.pid!, 'SIGKILL');
    expect((await failed)[0]).toMatchObject({ code: 'ffmpeg-failed' });
    expect(wanted()).toBe(1);
    for (let index = 5; index < 20; index += 1) write(index);
    await count(15);
    expect(pictures.at(-1)!.frame).toMatchObject({ sequence: 14, mediaTimeMs: 19 * 33 });
  });

  test('a stream that begins without a keyframe asks for one', async () => {
    const { frames } = await encodeVideo('libvpx', small);
    const { decoder, count, wanted } = start('vp8');
    for (let index = 5; index < 9; index += 1) {
      decoder.write({ data: frames[index]!, keyframe: false, mediaTimeMs: index * 33 });
    }
    expect(wanted()).toBe(1);
    decoder.write({ data: frames[10]!, keyframe: true, mediaTimeMs: 330 });
    await count(1);
  });

  test('garbage between frames costs its pictures and shifts no tag for long', async () => {
    const { frames } = await encodeVideo('libvpx', { ...small, frames: 120, gop: 120 });
    const { decoder, pictures, count } = start('vp8');
    for (const [index, data] of frames.entries()) {
      const broken = index === 20 ? Buffer.alloc(2) : data;
      decoder.write({ data: broken, keyframe: index === 0, mediaTimeMs: index * 33 });
      await count(index < 20 ? index + 1 : index);
    }
    expect(pictures).toHaveLength(119);
    expect(pictures.at(-1)!.frame.mediaTimeMs).toBe(119 * 33);
  });
});

test('an ffmpeg that is not there is an error, and does not end the process', async () => {
  const { decoder } = start('vp8', new Decoders(memory, { ffmpegPath: '/nonexistent/ffmpeg' }));
  const failed = once(decoder, 'failed');
  decoder.write({ data: Buffer.alloc(10), keyframe: true, mediaTimeMs: 0 });
  expect((await failed)[0]).toMatchObject({ code: 'ffmpeg-missing' });
});

test('the ffmpeg of 2018 does the same', async () => {
  const { default: installer } = await import('@ffmpeg-installer/ffmpeg');
  const { path } = await findFfmpeg({ path: installer.path });
  const { frames } = await encodeVideo('libvpx', small);
  const { decoder, pictures, count } = start('vp8', new Decoders(memory, { ffmpegPath: path }));
  for (const [index, data] of frames.entries()) {
    decoder.write({ data, keyframe: index % 10 === 0, mediaTimeMs: index * 33 });
    await count(index + 1);
  }
  expect(pictures[29]).toMatchObject({ width: 160, height: 90 });
});

test('closing gives all memory back and leaves no process', async () => {
  const own = new PixelMemory();
  const { frames } = await encodeVideo('libvpx', small);
  const decoders = new Decoders(own);
  const { decoder, count } = start('vp8', decoders);
  for (const [index, data] of frames.entries()) {
    decoder.write({ data, keyframe: index % 10 === 0, mediaTimeMs: index * 33 });
  }
  await count(10);
  const { pid } = decoder;
  await decoder.close();
  await decoders.close();
  expect(own.used).toBe(0);
  expect(() => kill(pid!, 0)).toThrow('ESRCH');
});

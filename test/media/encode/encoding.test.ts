import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import installer from '@ffmpeg-installer/ffmpeg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EncodedMedia, Run } from '../../../src/media/cache/media.ts';
import { RunFile } from '../../../src/media/cache/run-file.ts';
import { CLIPS } from '../../../src/media/clips.ts';
import { Encoding } from '../../../src/media/encode/encoding.ts';
import { simulcastLayers } from '../../../src/media/encode/layers.ts';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { LayerCursor } from '../../../src/media/file/layer-cursor.ts';
import type { VideoCodec } from '../../../src/media/types.ts';
import { barcodeClip } from '../../support/barcode-clip.ts';
import { hasEncoder } from '../../support/barcode-ffmpeg.ts';
import { readBarcodeFrames } from '../../support/barcode-media.ts';
import { decodeGrey, ivf, psnr, temporaryFolder } from '../file/made.ts';

const RATE = 30;
const SECONDS = 3;
const LAYERS = simulcastLayers(1280, 720);

const folder = temporaryFolder();
afterAll(() => folder.remove());

/** The clip encoded by one ffmpeg; everything is in a file when it is given back. */
async function encode(path: string, codec: VideoCodec, name: string) {
  const ffmpeg = await findFfmpeg({ path });
  const clip = await barcodeClip({ seconds: SECONDS, frameRate: RATE });
  const file = await RunFile.create(folder.path(name));
  const encoding = new Encoding({
    ffmpeg,
    name: clip,
    file,
    request: {
      input: ['-i', clip],
      video: { codec, layers: LAYERS, frameRate: RATE, still: false, stream: '0:v' },
      audio: { channels: 1, stream: '0:a' },
    },
  });
  await encoding.done;
  return { media: encoding.media, close: () => file.close() };
}

/** What a sender sends of a layer from a picture on, when a keyframe is wanted for these pictures. */
async function sent(media: EncodedMedia, layer: number, from: number, requests: readonly number[]) {
  let wake = () => {};
  const cursor = new LayerCursor(layer, () => wake());
  const frames: { data: Buffer; keyframe: boolean; picture: number }[] = [];
  for (let picture = 0; picture < media.pictures.length; picture += 1) {
    if (requests.includes(picture)) cursor.keyFrameWanted = true;
    cursor.readAhead(media, picture, 1);
    for (;;) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (cursor.prepare(media, picture) && !cursor.keyFrameWanted) break;
      if (
        cursor.keyFrameWanted &&
        cursor.prepare(media, picture) &&
        !media.run(layer, media.pictures[picture]!)
      )
        break;
      await woken;
    }
    if (picture >= from) frames.push({ ...cursor.take(picture)!, picture });
  }
  return frames;
}

async function counters(name: string, pictures: readonly Buffer[], codec: VideoCodec) {
  const path = folder.path(name);
  writeFileSync(
    path,
    codec === 'h264'
      ? Buffer.concat(pictures)
      : ivf({ vp8: 'VP80', vp9: 'VP90', av1: 'AV01' }[codec], pictures),
  );
  return (await readBarcodeFrames(path)).map((frame) => frame.counter);
}

/** Matroska's times are whole milliseconds. */
function expectTimes(media: EncodedMedia): void {
  expect(media.pictures.map((ticks) => Math.round(ticks / 3000))).toEqual(numbers(0, SECONDS * RATE));
  media.pictures.forEach((ticks, n) => {
    expect(Math.abs(ticks - n * 3000)).toBeLessThanOrEqual(45);
  });
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

/** Both ends of what is found on machines: the newest that is there, and the build from 2018 that npm brings. */
describe.each([
  { name: 'the newest ffmpeg', path: (await findFfmpeg()).path },
  { name: 'the ffmpeg of the installer', path: installer.path },
])('VP8 by $name', ({ path }) => {
  let media: EncodedMedia;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ media, close } = await encode(path, 'vp8', `vp8-${path.length}.frames`));
  }, 120_000);
  afterAll(() => close());

  test('has the pictures of the source at their times', () => {
    expectTimes(media);
    expect(Math.abs(media.pictureDurationTicks - SECONDS * 90_000)).toBeLessThanOrEqual(90);
    // The clip's own sound may end a little before its picture.
    expect(media.audioPackets).toBeGreaterThan((SECONDS - 1) * 50);
  });

  test.each([0, 1, 2])('layer %i: every level decodes to the pictures that it should have', async (layer) => {
    const starts = new Map<number, Run>();
    for (const run of media.runs(layer)) starts.set(media.pictures.indexOf(run.startTicks), run);
    // A start at each eighth of a second: no keyframe is further away than that and a frame.
    const at = [...starts.keys()].sort((a, b) => a - b);
    expect(at[0]).toBe(0);
    for (let i = 1; i < at.length; i += 1)
      expect(at[i]! - at[i - 1]!).toBeLessThanOrEqual(Math.ceil(RATE / 8));
    for (const level of [0, 1, 2, 3]) {
      const runs = [...starts].filter(([, run]) => run.level === level);
      const pictures: Buffer[] = [];
      const expected: number[] = [];
      for (const [first, run] of runs) {
        pictures.push(...(await media.load(run)));
        expected.push(...numbers(first, first + run.sizes.length));
      }
      expect(expected.length).toBe(level === 0 ? SECONDS * RATE : expected.length);
      expect(await counters(`l${layer}-${level}.ivf`, pictures, 'vp8')).toEqual(expected);
    }
  });

  test('layers have about the bit rate they were told', () => {
    LAYERS.forEach(({ bitrate }, layer) => {
      let bytes = 0;
      for (const run of media.runs(layer)) if (run.level === 0) bytes += run.sizes.reduce((a, b) => a + b, 0);
      expect((bytes * 8) / SECONDS / bitrate).toBeGreaterThan(0.5);
      expect((bytes * 8) / SECONDS / bitrate).toBeLessThan(1.3);
    });
  });

  test('a stream that goes to a keyframe on request decodes to the same pictures', async () => {
    const base = await sent(media, 0, 0, []);
    expect(base.filter((frame) => frame.keyframe).map((frame) => frame.picture)).toEqual([0, 30, 60]);
    writeFileSync(
      folder.path('base.ivf'),
      ivf(
        'VP80',
        base.map((frame) => frame.data),
      ),
    );
    const whole = await decodeGrey(folder.path('base.ivf'), 320, 180);
    for (const request of [1, 5, 9, 13, 17, 20, 24, 28, 44]) {
      const frames = await sent(media, 0, 0, [request]);
      const key = frames.find((frame) => frame.keyframe && frame.picture >= request)!;
      expect(key.picture - request).toBeLessThanOrEqual(Math.ceil(RATE / 8));
      writeFileSync(
        folder.path('spliced.ivf'),
        ivf(
          'VP80',
          frames.map((frame) => frame.data),
        ),
      );
      const spliced = await decodeGrey(folder.path('spliced.ivf'), 320, 180);
      expect(spliced.length).toBe(whole.length);
      // Another encoding of the same pictures; wrong references give below 15 dB within a few frames.
      spliced.forEach((picture, i) => {
        expect(psnr(picture, whole[i]!)).toBeGreaterThan(22);
      });
      // Whoever joins at the keyframe sees everything from there.
      const joined = frames.filter((frame) => frame.picture >= key.picture).map((frame) => frame.data);
      expect(await counters('joined.ivf', joined, 'vp8')).toEqual(numbers(key.picture, SECONDS * RATE));
    }
  }, 60_000);

  test('many requests never skip or repeat a picture', async () => {
    for (const layer of [0, 2]) {
      const frames = await sent(media, layer, 0, numbers(0, SECONDS * RATE));
      expect(frames.filter((frame) => frame.keyframe).length).toBeGreaterThanOrEqual(SECONDS * 8);
      expect(
        await counters(
          'many.ivf',
          frames.map((frame) => frame.data),
          'vp8',
        ),
      ).toEqual(numbers(0, SECONDS * RATE));
    }
  });

  test('sound has the level of each packet', async () => {
    const packets = (await Promise.all(media.audioRuns.map((run) => media.load(run)))).flat();
    const levels = packets.map((_, i) => media.audioLevelOf(i));
    // A beep of 0.08 s and half of full scale, −9 dBov, at each full second; between them nothing.
    for (let second = 0; second < SECONDS - 1; second += 1) {
      expect(levels.slice(second * 50, second * 50 + 4)).toEqual([9, 9, 9, 9]);
      expect(levels.slice(second * 50 + 5, second * 50 + 50)).toEqual(Array(45).fill(127));
    }
  });
});

test('speech has in-band FEC where ffmpeg can turn it on', async () => {
  const ffmpeg = await findFfmpeg();
  const file = await RunFile.create(folder.path('speech'));
  const request = { input: ['-i', CLIPS[0]], audio: { channels: 1, stream: '0:a' } } as const;
  const encoding = new Encoding({ ffmpeg, name: 'speech', file, request });
  await encoding.done;
  const packets = (await Promise.all(encoding.media.audioRuns.map((run) => encoding.media.load(run)))).flat();
  expect(packets.length).toBe(501);
  // RFC 6716 section 3.1: configurations below 16 have a SILK part; section 4.2.3: its second bit is the LBRR flag.
  const protectedPackets = packets.filter((packet) => packet[0]! >> 3 < 16 && (packet[1]! & 0x40) !== 0);
  if (ffmpeg.opusFecOption) expect(protectedPackets.length).toBeGreaterThan(250);
  await file.close();
});

test('media that is not kept is encoded no more than some seconds ahead', async () => {
  const ffmpeg = await findFfmpeg();
  const encoding = new Encoding({
    ffmpeg,
    name: 'shapes',
    request: {
      input: ['-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=30:d=60'],
      video: { codec: 'vp8', layers: simulcastLayers(160, 90), frameRate: 30, still: false, stream: '0:v' },
    },
  });
  const { media } = encoding;
  const seconds = () => media.availableTicks / 90_000;
  while (seconds() < 12) await once(media, 'grown');
  // What is in the pipes still comes; then nothing more until something has been played.
  const quiet = () => Promise.race([once(media, 'grown').then(() => false), setTimeout(1000, true)]);
  while (!(await quiet()));
  const ahead = seconds();
  expect(ahead).toBeLessThan(40);
  expect(media.complete).toBe(false);
  const kept = () => [...media.runs(0)].length;
  const before = kept();
  encoding.release(media.pictures.at(-1)!);
  expect(kept()).toBeLessThan(before);
  await once(media, 'grown');
  await encoding.close();
}, 60_000);

describe.each([
  { codec: 'vp9' as const, encoder: 'libvpx-vp9' },
  { codec: 'h264' as const, encoder: 'libx264' },
  { codec: 'av1' as const, encoder: 'libaom-av1' },
])('$codec', ({ codec, encoder }) => {
  test.skipIf(!hasEncoder(encoder))(
    'decodes, also after a keyframe on request',
    async () => {
      const { media, close } = await encode((await findFfmpeg()).path, codec, `${codec}.frames`);
      expectTimes(media);
      for (const layer of [0, 2]) {
        const frames = await sent(media, layer, 0, [9, 47]);
        expect(frames.filter((frame) => frame.keyframe).length).toBeGreaterThan(SECONDS);
        expect(
          await counters(
            `${codec}.${codec === 'h264' ? 'h264' : 'ivf'}`,
            frames.map((frame) => frame.data),
            codec,
          ),
        ).toEqual(numbers(0, SECONDS * RATE));
        const key = frames.find((frame) => frame.keyframe && frame.picture >= 9)!;
        expect(key.picture).toBeLessThanOrEqual(13);
        const joined = frames.filter((frame) => frame.picture >= key.picture).map((frame) => frame.data);
        expect(await counters(`${codec}-joined.${codec === 'h264' ? 'h264' : 'ivf'}`, joined, codec)).toEqual(
          numbers(key.picture, SECONDS * RATE),
        );
      }
      await close();
    },
    120_000,
  );
});

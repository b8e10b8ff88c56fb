import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { openFile } from '../../../src/media/file/open.ts';
import type { EncodedFrame } from '../../../src/media/types.ts';
import { audioOf, ffmpegChildren, makeMedia, play, shapes, temporaryFolder, tone, videoOf } from './made.ts';

const folder = temporaryFolder();
const cacheDir = folder.path('cache');
afterEach(() => expect(ffmpegChildren()).toEqual([]));
afterAll(() => folder.remove());

const SHORT_PICTURES = 29;
/** Picture and sound of different lengths, neither a whole number of Opus frames. */
const short = await makeMedia(
  folder.path('short.mkv'),
  ...[...shapes('1280x720', 2), ...tone(0.93), '-frames:v', String(SHORT_PICTURES), '-c:a', 'pcm_s16le'],
);
/** Small enough that encoding it again and again leaves the machine time. */
const small = await makeMedia(folder.path('small.mkv'), '-i', short, '-s', '160x90', '-c:a', 'copy');
const long = await makeMedia(
  folder.path('long.mkv'),
  ...shapes('640x360', 20),
  ...tone(20),
  '-preset',
  'ultrafast',
);

const steps = (frames: readonly EncodedFrame[]) =>
  frames.slice(1).map((frame, i) => frame.timestampUs - frames[i]!.timestampUs);

async function cached(options: { video: string; audio?: string; loop?: boolean }) {
  // Encoded and played to the end once, so that the disk is all that a test waits for.
  const first = await openFile({ ...options, loop: false, cacheDir });
  await play(first);
  return openFile({ ...options, cacheDir });
}

// A machine that is busy for 200 ms makes a source pause, which some of these tests would take for a fault.
describe('playing', { retry: 2 }, () => {
  test.each([
    { name: 'from the cache', open: () => cached({ video: short, loop: true }) },
    { name: 'encoded while playing', open: () => openFile({ video: small, loop: true }) },
  ])(
    'a loop has no gap and no overlap, $name',
    async ({ open }) => {
      const source = await open();
      const { frames } = await play(source, (frame) => frame.timestampUs >= 3_000_000);
      const sound = audioOf(frames);
      expect(new Set(steps(sound))).toEqual(new Set([20_000]));
      const top = source.video!.layers.length - 1;
      const rounds = videoOf(frames, top);
      expect(rounds.length).toBeGreaterThan(3 * SHORT_PICTURES);
      // 29 pictures last 967 ms: the next round begins with the first whole Opus frame after them.
      rounds.forEach((frame, i) => {
        const round = Math.floor(i / SHORT_PICTURES);
        const expected = round * 980_000 + (i % SHORT_PICTURES) * 33_333.3;
        expect(Math.abs(frame.timestampUs - expected)).toBeLessThanOrEqual(1_000);
        expect(frame.data.equals(rounds[i % SHORT_PICTURES]!.data)).toBe(true);
      });
      for (let layer = 0; layer < top; layer += 1) {
        expect(
          videoOf(frames, layer)
            .map((frame) => frame.timestampUs)
            .slice(0, rounds.length),
        ).toEqual(rounds.map((frame) => frame.timestampUs));
      }
    },
    60_000,
  );

  test('two files of different length loop each on its own', async () => {
    const sound = await makeMedia(folder.path('longer.wav'), ...tone(2.5));
    const source = await cached({ video: short, audio: sound, loop: true });
    const { frames } = await play(source, (frame) => frame.timestampUs >= 2_200_000);
    for (const step of steps(videoOf(frames, 0))) expect(Math.abs(step - 33_333)).toBeLessThanOrEqual(1_000);
    expect(new Set(steps(audioOf(frames)))).toEqual(new Set([20_000]));
  });

  test('frames come at their times, picture and sound on one clock', async () => {
    const source = await cached({ video: short, loop: true });
    const { frames, times } = await play(source, (frame) => frame.timestampUs >= 2_000_000);
    const late = frames.map(
      (frame, i) => times[i]! - times[0]! - (frame.timestampUs - frames[0]!.timestampUs) / 1000,
    );
    late.sort((a, b) => a - b);
    // Never early by more than the clock's grain; typically late by less than the timer's.
    expect(late[0]).toBeGreaterThan(-5);
    expect(late[late.length >> 1]).toBeLessThan(10);
  });

  test('a keyframe comes within 250 ms of its request, and the others go on', async () => {
    const source = await cached({ video: short, loop: true });
    const waits: number[] = [];
    let requestedAt: number | undefined;
    const { frames } = await play(source, (frame) => {
      if (frame.kind !== 'video' || frame.layer !== 2) return undefined;
      if (requestedAt === undefined && frame.timestampUs > waits.length * 310_000 + 50_000) {
        requestedAt = frame.timestampUs;
        source.requestKeyFrame(2);
      } else if (requestedAt !== undefined && frame.keyframe) {
        waits.push(frame.timestampUs - requestedAt);
        requestedAt = undefined;
      }
      return waits.length === 8;
    });
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(250_000);
    expect(videoOf(frames, 0).filter((frame) => frame.keyframe).length).toBeLessThanOrEqual(4);
    for (const step of steps(videoOf(frames, 2))) expect(step).toBeLessThanOrEqual(48_000);
  }, 60_000);

  test('a keyframe comes also while the last picture stands', async () => {
    const file = await makeMedia(
      folder.path('stands.mkv'),
      ...[...shapes('320x180', 0.5), ...tone(2), '-c:v', 'libx264', '-c:a', 'pcm_s16le'],
    );
    const source = await cached({ video: file });
    let asked = false;
    const { frames } = await play(source, (frame) => {
      if (!asked && frame.timestampUs > 1_000_000) {
        asked = true;
        source.requestKeyFrame(0);
      }
      return undefined;
    });
    const again = videoOf(frames, 0).slice(15);
    expect(again.length).toBeGreaterThan(0);
    expect(again.length).toBeLessThanOrEqual(4);
    expect(again[0]!.keyframe).toBe(true);
    expect(again[0]!.timestampUs).toBeGreaterThan(1_000_000);
    expect(again[0]!.timestampUs).toBeLessThanOrEqual(1_250_000);
  });

  test('a layer that nobody wants is not given, and comes back with a keyframe', async () => {
    const source = await cached({ video: short, loop: true });
    source.setLayerActive(1, false);
    let backAt = 0;
    const { frames } = await play(source, (frame) => {
      if (backAt === 0 && frame.timestampUs > 500_000) {
        backAt = frame.timestampUs;
        source.setLayerActive(1, true);
      }
      return frame.timestampUs > 1_000_000;
    });
    const [first] = videoOf(frames, 1);
    expect(first?.keyframe).toBe(true);
    expect(first!.timestampUs - backAt).toBeLessThanOrEqual(250_000);
    for (const layer of [0, 2])
      for (const step of steps(videoOf(frames, layer))) expect(step).toBeLessThanOrEqual(48_000);
  });

  test('after this process stood still everything goes on without a burst', async () => {
    const source = await cached({ video: short, loop: true });
    let blocked = false;
    const { frames, times } = await play(source, (frame) => {
      if (!blocked && frame.timestampUs > 400_000) {
        blocked = true;
        const until = performance.now() + 600;
        while (performance.now() < until);
      }
      return frame.timestampUs > 2_000_000;
    });
    const sound = audioOf(frames);
    const jumps = steps(sound).filter((step) => step !== 20_000);
    // One pause in the times, as long as the standstill; nothing is left out.
    expect(jumps.length).toBeGreaterThanOrEqual(1);
    expect(Math.max(...jumps)).toBeGreaterThan(450_000);
    for (let i = 0; i + 1 < frames.length; i += 1) {
      const burst = frames.filter(
        (frame, j) => frame.kind === 'audio' && times[j]! >= times[i]! && times[j]! < times[i]! + 100,
      );
      expect(burst.length).toBeLessThanOrEqual(12);
    }
  });

  test('when encoding is slower than playing, all pauses and goes on', async () => {
    const source = await openFile({ video: long, cacheDir: folder.path('slow') });
    const [pid] = ffmpegChildren();
    process.kill(pid!, 'SIGSTOP');
    let resumed = false;
    let last = 0;
    const watch = setInterval(() => {
      // Nothing came for a while: everything that was encoded has been given.
      if (!resumed && last > 0 && performance.now() - last > 700) {
        resumed = true;
        process.kill(pid!, 'SIGCONT');
      }
    }, 50);
    const { frames } = await play(source, (_, all) => {
      last = performance.now();
      return resumed && videoOf(all, 0).length >= 90;
    });
    clearInterval(watch);
    const pictures = videoOf(frames, 0);
    const sound = audioOf(frames);
    const pauses = [
      steps(pictures).filter((step) => step > 300_000),
      steps(sound).filter((step) => step > 300_000),
    ];
    expect(pauses[0]!.length).toBeGreaterThanOrEqual(1);
    expect(pauses[1]!.length).toBe(pauses[0]!.length);
    expect(Math.abs(pauses[0]![0]! - pauses[1]![0]!)).toBeLessThan(70_000);
    expect(
      videoOf(frames, 1)
        .slice(0, 90)
        .map((frame) => frame.timestampUs),
    ).toEqual(pictures.slice(0, 90).map((frame) => frame.timestampUs));
    // Picture n and the sound of the same moment are still given together.
    const end = Math.min(pictures.at(-1)!.timestampUs, sound.at(-1)!.timestampUs);
    const [shown, heard] = [pictures, sound].map(
      (track) => track.filter((frame) => frame.timestampUs <= end).length,
    );
    expect(Math.abs(shown! / 30 - heard! / 50)).toBeLessThan(0.06);
  }, 60_000);
});

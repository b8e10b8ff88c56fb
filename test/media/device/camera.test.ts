/** A camera that is none: ffmpeg's own test pictures behind the interface of a device. */
import { expect, onTestFinished, test } from 'vitest';
import { Camera } from '../../../src/media/device/camera.ts';
import { CameraFeed } from '../../../src/media/device/camera-feed.ts';
import type { EncodedFrame } from '../../../src/media/types.ts';

const DEVICE = 'lavfi:testsrc2=size=1280x720:rate=30';

test('is encoded in three layers that begin together', async () => {
  const camera = await Camera.open({ device: DEVICE });
  onTestFinished(() => camera.close());
  expect(camera.video.layers.map(({ height }) => height)).toEqual([180, 360, 720]);
  const frames: EncodedFrame[] = [];
  const all = Promise.withResolvers<void>();
  camera.start({
    frame: (frame) => {
      frames.push(frame);
      if ([0, 1, 2].every((layer) => frames.filter((one) => one.layer === layer).length > 5)) all.resolve();
    },
    ended: () => {},
    failed: all.reject,
  });
  await all.promise;
  for (const layer of [0, 1, 2]) {
    const first = frames.find((frame) => frame.layer === layer)!;
    expect(first.keyframe).toBe(true);
  }
});

test('that is unplugged is waited for, and said to be gone and back', async () => {
  const feed = await CameraFeed.open({ device: DEVICE });
  const camera = await Camera.open({ feed });
  onTestFinished(() => camera.close());
  const gone = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  const again = Promise.withResolvers<void>();
  let isBack = false;
  camera.start({
    frame: () => isBack && again.resolve(),
    ended: () => {},
    failed: gone.reject,
    available: (kind, available) => {
      expect(kind).toBe('video');
      isBack = available;
      (available ? back : gone).resolve();
    },
  });
  process.kill(feed.pid!, 'SIGKILL');
  await gone.promise;
  await back.promise;
  await again.promise;
}, 30_000);

test.each([
  ['/dev/video98', 'is not there'],
  ['lavfi:nosuchsource', 'cannot be opened'],
])('that cannot be used is a sentence: %s', async (device, words) => {
  await expect(CameraFeed.open({ device })).rejects.toMatchObject({
    code: 'device-unusable',
    message: expect.stringContaining(words),
  });
});

/** A microphone of ALSA that is a file (its `file` plugin), read by the real ffmpeg. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Microphone } from '../../../src/media/device/microphone.ts';
import { OpusTrackDecoder } from '../../../src/media/opus/index.ts';
import type { EncodedFrame } from '../../../src/media/types.ts';
import { alsaMicrophone } from '../../support/alsa.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-microphone-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

test('its sound comes as Opus of 20 ms with levels, and ffmpeg ends with it', async () => {
  vi.stubEnv('ALSA_CONFIG_PATH', await alsaMicrophone(folder, 'tone'));
  const microphone = await Microphone.open({ device: 'tone' });
  expect(microphone.audio).toEqual({ codec: 'opus', channels: 1 });
  const frames: EncodedFrame[] = [];
  const enough = Promise.withResolvers<void>();
  microphone.start({
    frame: (frame) => {
      frames.push(frame);
      if (frames.length === 50) enough.resolve();
    },
    ended: () => enough.reject(new Error('ended')),
    failed: (error) => enough.reject(error),
  });
  await enough.promise;
  const pid = microphone.pid!;
  await microphone.close();
  await microphone.close();
  expect(() => process.kill(pid, 0)).toThrow();

  const steps = frames.map(({ timestampUs }, i) => timestampUs - (frames[i - 1]?.timestampUs ?? timestampUs));
  expect(new Set(steps.slice(1))).toEqual(new Set([20_000]));
  // A sine of a quarter of full scale is 15 dB below a full square wave. The device jumps: it is not a clock.
  const levels = frames.map(({ audioLevel }) => audioLevel!).sort((a, b) => a - b);
  expect(levels[10]).toBe(15);
  const decoder = await OpusTrackDecoder.create(1);
  const loudest = Math.max(
    ...frames.flatMap(({ data }, i) =>
      decoder.decode({ data, rtpTimestamp: i * 960, gapBefore: false }).map(({ pcm }) => Math.max(...pcm)),
    ),
  );
  decoder.close();
  expect(loudest).toBeGreaterThan(6_000);
});

test('a device that is not there is named', async () => {
  const config = join(folder, 'asound.conf');
  await writeFile(config, '');
  vi.stubEnv('ALSA_CONFIG_PATH', config);
  await expect(Microphone.open({ device: 'hw:7' })).rejects.toMatchObject({
    code: 'device-unusable',
    message: 'hw:7 is not there.',
  });
});

test('a device that is unplugged is waited for, and said to be gone and back', async () => {
  vi.stubEnv('ALSA_CONFIG_PATH', await alsaMicrophone(folder, 'tone'));
  const microphone = await Microphone.open({ device: 'tone' });
  const told: boolean[] = [];
  const again = Promise.withResolvers<EncodedFrame>();
  microphone.start({
    frame: (frame) => told.at(-1) && again.resolve(frame),
    ended: () => {},
    failed: again.reject,
    available: (_, available) => told.push(available),
  });
  process.kill(microphone.pid!, 'SIGKILL');
  expect((await again.promise).kind).toBe('audio');
  expect(told).toEqual([false, true]);
  await microphone.close();
}, 20_000);

test('what a filter takes off is not sent', async () => {
  vi.stubEnv('ALSA_CONFIG_PATH', await alsaMicrophone(folder, 'tone'));
  const microphone = await Microphone.open({
    device: 'tone',
    filter: 'highpass=f=4000:p=2,highpass=f=4000:p=2',
  });
  const enough = Promise.withResolvers<EncodedFrame>();
  let count = 0;
  microphone.start({
    frame: (frame) => {
      count += 1;
      if (count > 25) enough.resolve(frame);
    },
    ended: () => {},
    failed: enough.reject,
  });
  expect((await enough.promise).audioLevel).toBeGreaterThan(60);
  await microphone.close();
});

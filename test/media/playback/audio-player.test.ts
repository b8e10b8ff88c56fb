/** Sound through the real ffplay, which writes it to a file instead of a device (SDL's `disk` driver). */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AudioPlayer } from '../../../src/media/playback/audio-player.ts';

const HZ = 440;
const BLOCK = 960;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'meet-player-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Block n of a tone, 20 ms of stereo. */
function tone(block: number): Int16Array {
  return Int16Array.from({ length: BLOCK * 2 }, (_, i) =>
    Math.round(8_000 * Math.sin((2 * Math.PI * HZ * (block * BLOCK + (i >> 1))) / 48_000)),
  );
}

/** Rising zero crossings of the left channel a second. */
function frequency(pcm: Int16Array): number {
  const left = pcm.filter((_, i) => i % 2 === 0);
  let crossings = 0;
  for (let i = 1; i < left.length; i += 1) if (left[i - 1]! < 0 && left[i]! >= 0) crossings += 1;
  return crossings / (left.length / 48_000);
}

describe.skipIf(spawnSync('ffplay', ['-version']).status !== 0)('ffplay', () => {
  test('plays what it gets, until closed', async () => {
    const file = join(folder, 'played.raw');
    vi.stubEnv('SDL_AUDIODRIVER', 'disk');
    vi.stubEnv('SDL_DISKAUDIOFILE', file);
    const player = await AudioPlayer.open();
    const failures: unknown[] = [];
    player.on('failed', (error) => failures.push(error));
    let sound = new Int16Array(0);
    const until = performance.now() + 20_000;
    for (let block = 0; sound.length < 48_000 && performance.now() < until; block += 1) {
      player.write(tone(block));
      await delay(15);
      const played = await readFile(file).catch(() => Buffer.alloc(0));
      const samples = new Int16Array(played.buffer, played.byteOffset, (played.length >> 2) * 2);
      const begins = samples.findIndex((value) => value !== 0);
      sound = begins === -1 ? new Int16Array(0) : samples.slice(begins & ~1);
    }
    // Half a second of it, in tune.
    expect(sound.length).toBeGreaterThanOrEqual(48_000);
    expect(frequency(sound.subarray(0, 48_000))).toBeCloseTo(HZ, -1);
    const pid = player.pid!;
    await player.close();
    await player.close();
    expect(() => process.kill(pid, 0)).toThrow();
    expect(failures).toEqual([]);
  }, 40_000);

  test('a machine without a sound device is told in one sentence', async () => {
    vi.stubEnv('SDL_AUDIODRIVER', 'alsa');
    vi.stubEnv('ALSA_CONFIG_PATH', join(folder, 'none'));
    const player = await AudioPlayer.open();
    const failed = once(player, 'failed');
    const playing = setInterval(() => player.write(tone(0)), 20);
    const [error] = await failed;
    clearInterval(playing);
    expect(error).toMatchObject({
      code: 'device-unusable',
      message: 'ffplay cannot play sound here: no device can be opened.',
    });
    player.write(tone(0));
    await player.close();
  });
});

test('a machine without a player is told which one to install', async () => {
  vi.stubEnv('PATH', folder);
  await expect(AudioPlayer.open()).rejects.toMatchObject({
    code: 'device-unusable',
    hint: expect.stringMatching('apt-get'),
  });
});

import { expect, test } from 'vitest';
import { AudioMixer } from '../../../src/media/playback/audio-mixer.ts';

const SAMPLES_PER_MS = 48;

/** Interleaved stereo of one value. */
const level = (ms: number, value: number) => new Int16Array(ms * SAMPLES_PER_MS * 2).fill(value);
const mixed = (mixer: AudioMixer, ms: number) => mixer.mix(ms * SAMPLES_PER_MS);

test('voices are added, and each waits until there is enough of it', () => {
  const mixer = new AudioMixer();
  const [ada, bob] = [mixer.add(), mixer.add()];
  ada.push(level(100, 1_000));
  bob.push(level(40, 300));
  expect(new Set(mixed(mixer, 20))).toEqual(new Set([1_000]));
  bob.push(level(40, 300));
  expect(new Set(mixed(mixer, 20))).toEqual(new Set([1_300]));
  mixer.remove(ada);
  expect(new Set(mixed(mixer, 20))).toEqual(new Set([300]));
});

test('a voice that runs out is silent, and begins again with enough of it', () => {
  const mixer = new AudioMixer();
  const ada = mixer.add();
  ada.push(level(60, 500));
  mixed(mixer, 40);
  expect([...mixed(mixer, 40)]).toEqual([...level(20, 500), ...level(20, 0)]);
  ada.push(level(20, 500));
  expect(new Set(mixed(mixer, 20))).toEqual(new Set([0]));
  ada.push(level(40, 500));
  expect(new Set(mixed(mixer, 20))).toEqual(new Set([500]));
});

test('a voice that gathers is not played later and later', () => {
  const mixer = new AudioMixer();
  const ada = mixer.add();
  for (let i = 1; i <= 20; i += 1) ada.push(level(20, i));
  // 400 ms came at once: what is played begins with the last of it.
  expect(mixed(mixer, 20)[0]).toBeGreaterThan(5);
});

test('loud voices are turned down together and do not clip; the loudness comes back', () => {
  const mixer = new AudioMixer();
  const voices = [mixer.add(), mixer.add(), mixer.add()];
  for (const voice of voices) voice.push(level(100, 20_000));
  expect(Math.max(...mixed(mixer, 20))).toBeLessThanOrEqual(32_767);
  for (const voice of voices) mixer.remove(voice);
  const quiet = mixer.add();
  quiet.push(level(200, 1_000));
  const first = mixed(mixer, 20)[0]!;
  expect(first).toBeGreaterThan(500);
  expect(first).toBeLessThan(1_000);
  const voice = mixer.add();
  for (let i = 0; i < 400; i += 1) {
    voice.push(level(20, 1_000));
    mixed(mixer, 20);
  }
  voice.push(level(20, 1_000));
  expect(mixed(mixer, 20)[0]).toBeGreaterThan(950);
});

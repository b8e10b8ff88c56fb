import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { level, mixed, random, type Source, speech } from './voices.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mixer-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** Integrated loudness (LUFS) and true peak (dBTP) of a part, in seconds, after it has been AAC as in a recording. */
async function measure(
  mix: Int16Array,
  from: number,
  to: number,
): Promise<{ loudness: number; peak: number }> {
  const path = join(directory, 'mix.m4a');
  const raw = ['-f', 's16le', '-ar', '48000', '-ac', '2'];
  const aac = ['-c:a', 'aac', '-aac_coder', 'fast', '-b:a', '128k', '-cutoff', '20000'];
  await runFfmpeg([...raw, '-i', 'pipe:0', ...aac, '-y', path], { input: Buffer.from(mix.buffer) });
  const part = `atrim=${from}:${to},ebur128=peak=true`;
  const { stderr } = await runFfmpeg(['-nostdin', '-i', path, '-af', part, '-f', 'null', '-']);
  const summary = stderr.slice(stderr.lastIndexOf('Summary:'));
  const value = (name: string) =>
    Number(new RegExp(`${name}:\\s+(-?[\\d.]+)`).exec(summary)?.[1] ?? Number.NaN);
  return { loudness: value('I'), peak: value('Peak') };
}

test('each speaker has the same loudness from the first words on, and no peak is too high', async () => {
  const sources: Source[] = [
    { sound: speech(12, 1.2, 1), from: 0 },
    { sound: speech(12, 0.1, 2), from: 13 },
    { sound: speech(12, 0.3, 3), from: 26 },
  ];
  const mix = mixed(38, sources);
  for (const from of [0, 13, 26]) {
    const whole = await measure(mix, from, from + 12);
    expect(whole.loudness).toBeGreaterThan(-17.5);
    expect(whole.loudness).toBeLessThan(-14.5);
    expect(whole.peak).toBeLessThanOrEqual(-1);
    const first = await measure(mix, from, from + 3);
    expect(first.loudness).toBeGreaterThan(-18);
    expect(first.loudness).toBeLessThan(-14);
  }
});

test('several loud voices at once stay below the ceiling', async () => {
  const mix = mixed(
    8,
    [1, 2, 3, 4, 5, 6].map((seed) => ({ sound: speech(8, 3, seed) })),
  );
  const { peak } = await measure(mix, 0, 8);
  expect(peak).toBeLessThanOrEqual(-1);
  expect(peak).toBeGreaterThan(-6);
});

test('who does not speak is turned down while another does, and back afterwards', () => {
  const tone = (sample: number) => 0.01 * Math.sin((2 * Math.PI * 3_000 * sample) / 48_000);
  const voice = speech(4, 1, 7);
  const gains: number[] = [];
  const room = mixed(12, [{ sound: tone, kind: 'program' }, { sound: new Float32Array(48_000 * 12) }]);
  const both = mixed(
    12,
    [
      { sound: tone, kind: 'program' },
      { sound: voice, from: 3 },
    ],
    (inputs) => gains.push(inputs[1]!.gainDb),
  );
  // Of the tone alone, by correlation: the voice has little at 3 kHz.
  const tones = (mix: Int16Array, from: number, to: number) => {
    let re = 0;
    let im = 0;
    for (let i = from * 48_000; i < to * 48_000; i += 1) {
      re += mix[2 * i]! * Math.sin((2 * Math.PI * 3_000 * i) / 48_000);
      im += mix[2 * i]! * Math.cos((2 * Math.PI * 3_000 * i) / 48_000);
    }
    return 20 * Math.log10(Math.hypot(re, im));
  };
  expect(tones(both, 4, 6) - tones(room, 4, 6)).toBeGreaterThan(-13);
  expect(tones(both, 4, 6) - tones(room, 4, 6)).toBeLessThan(-7);
  expect(tones(both, 11, 12) - tones(room, 11, 12)).toBeGreaterThan(-1);
});

test('the noise of a room is neither raised nor pumped', () => {
  const next = random(9);
  const noise = Float32Array.from({ length: 48_000 * 20 }, () => 0.003 * (2 * next() - 1));
  const alone = mixed(20, [{ sound: noise }]);
  expect(level(alone, 15, 20)).toBeLessThan(-50);
  // A speaker in that room: in the pauses after the last word the gain stays what it was.
  const talk = speech(8, 0.3, 4);
  const gains: number[] = [];
  mixed(20, [{ sound: noise.map((value, i) => value + (talk[i] ?? 0)) }], ([input]) =>
    gains.push(input!.gainDb),
  );
  expect(Math.abs(gains.at(-1)! - gains[9 * 50]!)).toBeLessThan(0.5);
});

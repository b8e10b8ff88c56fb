import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AudioLevelReader, audioLevel } from '../../../src/media/encode/audio-level.ts';
import { IvfReader } from '../../../src/media/encode/ivf.ts';
import { MpegTsReader } from '../../../src/media/encode/mpegts.ts';
import { OggOpusReader } from '../../../src/media/encode/ogg.ts';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';
import { ivf } from '../file/made.ts';

const SHAPES = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=160x90:r=30:d=1'];

/** Gives a stream in pieces whose sizes repeat. */
function inPieces(data: Buffer, sizes: readonly number[], push: (piece: Buffer) => void): void {
  for (let at = 0, i = 0; at < data.length; i += 1) {
    const size = sizes[i % sizes.length]!;
    push(data.subarray(at, at + size));
    at += size;
  }
}

const pieces = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 });

test('IVF gives the same pictures however it is cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 20 }),
      pieces,
      (pictures, sizes) => {
        const got: { ticks: number; data: Buffer }[] = [];
        const reader = new IvfReader((ticks, data) => got.push({ ticks, data }));
        inPieces(
          ivf(
            'VP80',
            pictures.map((picture) => Buffer.from(picture)),
          ),
          sizes,
          (piece) => reader.push(piece),
        );
        expect(got.map(({ ticks }) => ticks)).toEqual(pictures.map((_, i) => i * 3000));
        expect(got.map(({ data }) => [...data])).toEqual(pictures.map((picture) => [...picture]));
      },
    ),
  );
});

test('MPEG-TS gives each access unit of H.264 once, with its time, however it is cut', async () => {
  const { stdout } = await runFfmpeg([
    ...SHAPES,
    ...[
      '-c:v',
      'libx264',
      '-bf',
      '0',
      '-pix_fmt',
      'yuv420p',
      '-muxdelay',
      '0',
      '-muxpreload',
      '0',
      '-f',
      'mpegts',
      'pipe:1',
    ],
  ]);
  fc.assert(
    fc.property(pieces, (sizes) => {
      const got: { ticks: number; data: Buffer }[] = [];
      const reader = new MpegTsReader((ticks, data) => got.push({ ticks, data }));
      inPieces(stdout, sizes, (piece) => reader.push(piece));
      reader.end();
      expect(got.map(({ ticks }) => ticks - got[0]!.ticks)).toEqual(
        Array.from({ length: 30 }, (_, i) => i * 3000),
      );
      // Each starts with a start code and none has the delimiter.
      for (const { data } of got) {
        expect(data.indexOf('000001', 0, 'hex')).toBeLessThanOrEqual(1);
        expect(data.indexOf('0000000109', 0, 'hex')).toBe(-1);
      }
    }),
    { numRuns: 20 },
  );
});

test('Ogg gives each Opus packet once, however it is cut', async () => {
  const { stdout } = await runFfmpeg([
    ...[
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'sine=r=48000:d=1',
      '-c:a',
      'libopus',
      '-b:a',
      '250k',
      '-f',
      'ogg',
      'pipe:1',
    ],
  ]);
  const read = (sizes: readonly number[]) => {
    const packets: Buffer[] = [];
    const reader = new OggOpusReader((packet) => packets.push(packet));
    inPieces(stdout, sizes, (piece) => reader.push(piece));
    return packets;
  };
  const whole = read([stdout.length]);
  expect(whole.length).toBe(51);
  // Packets of more than 255 bytes are laced.
  expect(Math.max(...whole.map((packet) => packet.length))).toBeGreaterThan(255);
  fc.assert(
    fc.property(pieces, (sizes) => {
      expect(Buffer.concat(read(sizes)).equals(Buffer.concat(whole))).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('levels are those of RFC 6464', () => {
  expect(audioLevel(new Int16Array(960))).toBe(127);
  expect(audioLevel(new Int16Array(960).fill(-32_768))).toBe(0);
  const sine = Int16Array.from({ length: 960 }, (_, i) =>
    Math.round(32_767 * Math.sin((2 * Math.PI * i) / 96)),
  );
  expect(audioLevel(sine)).toBe(3);
  expect(audioLevel(new Int16Array(960).fill(1))).toBe(90);
});

test('levels are cut into frames however the samples are cut', () => {
  fc.assert(
    fc.property(pieces, (sizes) => {
      const samples = Buffer.alloc(5 * 1920 + 100);
      for (let frame = 0; frame < 5; frame += 1) {
        for (let i = 0; i < 960; i += 1) samples.writeInt16LE(32_768 / 10 ** frame - 1, frame * 1920 + i * 2);
      }
      const levels: number[] = [];
      const reader = new AudioLevelReader(960, (level) => levels.push(level));
      inPieces(samples, sizes, (piece) => reader.push(piece));
      reader.end();
      expect(levels).toEqual(
        [0, 20, 40, 60, 93, 127].map((level, i) => (i === 3 ? levels[3] : i === 4 ? levels[4] : level)),
      );
    }),
  );
});

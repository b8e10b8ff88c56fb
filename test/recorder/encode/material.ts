/** Pictures and sound that say when they are: each picture's brightness is its number, the sound is one long tone. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { findFfmpeg } from '../../../src/media/ffmpeg/locate.ts';
import { Encoder, type EncoderOptions, type EncodeSettings } from '../../../src/recorder/encode/index.ts';
import { vpxEncoding, x264Encoding } from '../../../src/recorder/encode/settings.ts';
import type { Fragment } from '../../../src/recorder/encode/types.ts';
import type { RecordingFormat } from '../../../src/recorder/types.ts';
import { runFfmpeg, testFfmpeg } from '../../support/barcode-ffmpeg.ts';

export const FPS = 30;
export const WIDTH = 320;
export const HEIGHT = 180;
/** Brightnesses are told apart in steps of four, and begin anew after so many pictures. */
const BRIGHTNESSES = 50;
const TONE_HZ = 440;
const TONE_LEVEL = 0.25;

export function settingsFor(format: RecordingFormat): EncodeSettings {
  return {
    format,
    bitrate: 500_000,
    ...(format === 'm4a' ? {} : { video: { width: WIDTH, height: HEIGHT, fps: FPS } }),
  };
}

/** An encoder and all that it gives. */
export class Recorded {
  readonly encoder: Encoder;
  readonly fragments: Fragment[] = [];
  readonly inits: Buffer[] = [];
  #picture = 0;
  #sample = 0;

  private constructor(options: EncoderOptions) {
    this.encoder = new Encoder(options);
    this.encoder.on('init', (bytes) => this.inits.push(bytes));
    this.encoder.on('fragment', (fragment) => this.fragments.push(fragment));
  }

  static async start(format: RecordingFormat, options: Partial<EncoderOptions> = {}): Promise<Recorded> {
    const encodings =
      format === 'm4a'
        ? []
        : format === 'webm'
          ? [vpxEncoding('vp8', 'low', 1)]
          : [x264Encoding(0, 1), x264Encoding(1, 1), x264Encoding(2, 1)];
    return new Recorded({
      ffmpeg: await findFfmpeg({ path: testFfmpeg() }),
      settings: settingsFor(format),
      encodings,
      ...options,
    });
  }

  /** Gives so many pictures and their sound; each waits until the one before has been taken. */
  async feed(pictures: number, options: { patient?: boolean } = {}): Promise<void> {
    const { patient = true } = options;
    const samples = 48_000 / FPS;
    for (let i = 0; i < pictures; i += 1) {
      while (patient && this.encoder.busy) await new Promise((resolve) => setImmediate(resolve));
      this.encoder.picture(picture(this.#picture));
      this.encoder.sound(tone(this.#sample, samples));
      this.#picture += 1;
      this.#sample += samples;
      if (!patient) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Settles with the next fragment. */
  async nextFragment(): Promise<void> {
    await once(this.encoder, 'fragment');
  }

  async save(path: string): Promise<void> {
    await writeFile(path, Buffer.concat([...this.inits, ...this.fragments.map(({ bytes }) => bytes)]));
  }
}

function picture(number: number): Uint8Array {
  const i420 = new Uint8Array((WIDTH * HEIGHT * 3) / 2).fill(128);
  return i420.fill(brightness(number), 0, WIDTH * HEIGHT);
}

const brightness = (number: number): number => 30 + 4 * (number % BRIGHTNESSES);

function tone(from: number, samples: number): Int16Array {
  const pcm = new Int16Array(2 * samples);
  for (let i = 0; i < samples; i += 1) {
    const value = 32_767 * TONE_LEVEL * Math.sin((2 * Math.PI * TONE_HZ * (from + i)) / 48_000);
    pcm[2 * i] = value;
    pcm[2 * i + 1] = value;
  }
  return pcm;
}

/** Shows the pictures of a file: time in seconds and, by its brightness, which one of the next fifty it is. */
export async function shownPictures(path: string): Promise<{ seconds: number; number: number }[]> {
  const { stderr } = await runFfmpeg([
    '-nostdin',
    '-i',
    path,
    '-vsync',
    '0',
    '-vf',
    'showinfo',
    '-an',
    '-f',
    'null',
    '-',
  ]);
  const complaint = /error|invalid|corrupt|concealing/i.exec(stderr);
  if (complaint) throw new Error(stderr);
  return Array.from(stderr.matchAll(/ pts_time:\s*([\d.]+).* mean:\[(\d+)/g), ([, seconds, mean]) => ({
    seconds: Number(seconds),
    number: Math.round((Number(mean) - 30) / 4),
  }));
}

/** How far the tone is from where it should be, in samples, in each tenth of a second; and its level. */
export async function toneErrors(path: string): Promise<{ samples: number; level: number }[]> {
  const { stdout } = await runFfmpeg([
    '-nostdin',
    '-i',
    path,
    '-vn',
    '-f',
    'f32le',
    '-af',
    'pan=mono|c0=c0',
    '-ar',
    '48000',
    'pipe:1',
  ]);
  const sound = new Float32Array(
    stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + (stdout.length & ~3)),
  );
  const each = 4_800;
  return Array.from({ length: Math.floor(sound.length / each) }, (_, window) => {
    let re = 0;
    let im = 0;
    for (let i = window * each; i < (window + 1) * each; i += 1) {
      const phase = (2 * Math.PI * TONE_HZ * i) / 48_000;
      re += sound[i]! * Math.sin(phase);
      im += sound[i]! * Math.cos(phase);
    }
    const period = 48_000 / TONE_HZ;
    return {
      samples: (Math.atan2(im, re) / (2 * Math.PI)) * period,
      level: (2 * Math.hypot(re, im)) / each / TONE_LEVEL,
    };
  });
}

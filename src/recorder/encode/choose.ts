/** Which encoders this machine has, and which of their settings it keeps up with. */
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { MeetError } from '../../protocol/errors.ts';
import { hardwareEncodings } from './hardware.ts';
import {
  type EncodeSettings,
  type VideoEncoding,
  vpxEncoding,
  X264_STEPS,
  x264Encoding,
} from './settings.ts';
import { tryEncoding } from './trial.ts';

/** What the trial of x264 may take, once it has started. */
const TRIAL_MS = 200;
const START_MS = 2_000;
/** A driver that has not started by then is not one to record with. */
const HARDWARE_START_MS = 5_000;
/** Share of a second that the encoder of one thread may work for the pictures of one: the rest is for bad moments. */
const ONE_THREAD_MS = 600;
/** All threads together, as the others of the machine need some of it. */
const ALL_THREADS_SHARE = 0.6;
const MOST_THREADS = 4;
/** What slices cost on top. */
const SLICES_COST = 1.1;

const Found = Type.Object({ hardware: Type.Array(Type.String()), msPerPicture: Type.Number() });
const Cache = Type.Record(Type.String(), Found);
type Cache = Static<typeof Cache>;

export interface ChooseOptions {
  readonly ffmpeg: Ffmpeg;
  readonly settings: EncodeSettings;
  /** Where what was found is kept, for this machine, this ffmpeg and this size. */
  readonly cacheFolder: string;
}

/**
 * Ways to encode the pictures, the one to begin with first; the rest is for when it fails or the machine does not keep
 * up. Empty for sound alone. Takes half a second the first time, and 5 ms later.
 *
 * @throws MeetError `ffmpeg-missing` when ffmpeg has no encoder for the format
 */
export async function chooseEncodings(options: ChooseOptions): Promise<VideoEncoding[]> {
  const { ffmpeg, settings } = options;
  const { video } = settings;
  const needed = neededEncoder(settings);
  const hardware =
    settings.format === 'mp4'
      ? hardwareEncodings(ffmpeg, process.platform, { exists: existsSync, list: listFolder })
      : [];
  const software = ffmpeg.encoders.has(needed);
  if (!software && hardware.length === 0) {
    throw new MeetError('ffmpeg-missing', `ffmpeg ${ffmpeg.version} has no ${needed} to record with.`, {
      hint: 'Install a complete one (`apt-get install ffmpeg`), or set MEET_FFMPEG to the path of one.',
    });
  }
  if (video === undefined) return [];
  const found = await remembered(options, hardware, async () => {
    const working: string[] = [];
    for (const encoding of hardware) {
      const ms = await tryEncoding({
        ffmpeg,
        settings: { ...settings, video },
        encoding,
        budgetMs: 1_000,
        startMs: HARDWARE_START_MS,
      });
      if (ms !== undefined && ms * video.fps < 1_000) working.push(encoding.encoder);
    }
    const ms = software
      ? await tryEncoding({
          ffmpeg,
          settings: { ...settings, video },
          // The last step gives pictures back one by one; the best looks at ten more before it gives the first.
          encoding: softwareSteps(settings, 1).at(-1)!,
          budgetMs: TRIAL_MS,
          startMs: START_MS,
        })
      : 0;
    // One that gave nothing back in time is slower than anything that was.
    return { hardware: working, msPerPicture: (ms ?? TRIAL_MS) / lastCost(settings) };
  });
  const works = hardware.filter(({ encoder }) => found.hardware.includes(encoder));
  const ladder = [
    ...works,
    ...(software ? affordable(settings, found.msPerPicture * video.fps, cpus().length) : []),
  ];
  if (ladder.length > 0) return ladder;
  throw new MeetError(
    'ffmpeg-missing',
    `ffmpeg ${ffmpeg.version} has no encoder that works on this machine.`,
    {
      hint: 'Install a complete one (`apt-get install ffmpeg`).',
    },
  );
}

/** Steps that the machine keeps up with, when a second of the best takes so many milliseconds of one thread. */
export function affordable(
  settings: EncodeSettings,
  msPerSecond: number,
  processors: number,
): VideoEncoding[] {
  const alone = softwareSteps(settings, 1);
  const cost = (index: number) => msPerSecond * (settings.format === 'webm' ? 1 : X264_STEPS[index]!.cost);
  if (cost(0) <= ONE_THREAD_MS || processors === 1) {
    const first = alone.findIndex((_, i) => cost(i) <= ONE_THREAD_MS);
    return alone.slice(first < 0 ? -1 : first);
  }
  const threads = Math.min(processors, MOST_THREADS);
  const together = softwareSteps(settings, threads);
  const first = together.findIndex((_, i) => cost(i) * SLICES_COST <= threads * 1_000 * ALL_THREADS_SHARE);
  return together.slice(first < 0 ? -1 : first);
}

/** What the last step costs, the best being 1. */
const lastCost = ({ format }: EncodeSettings): number => (format === 'webm' ? 1 : X264_STEPS.at(-1)!.cost);

function softwareSteps({ format, webmCodec = 'vp8' }: EncodeSettings, threads: number): VideoEncoding[] {
  return format === 'webm'
    ? [vpxEncoding(webmCodec, 'high', threads), vpxEncoding(webmCodec, 'low', threads)]
    : X264_STEPS.map((_, i) => x264Encoding(i, threads));
}

function neededEncoder({ format, webmCodec }: EncodeSettings): string {
  if (format === 'm4a') return 'aac';
  if (format === 'mp4') return 'libx264';
  return webmCodec === 'vp9' ? 'libvpx-vp9' : 'libvpx';
}

const listFolder = (path: string): string[] => {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
};

async function remembered(
  { ffmpeg, settings, cacheFolder }: ChooseOptions,
  hardware: readonly VideoEncoding[],
  find: () => Promise<Static<typeof Found>>,
): Promise<Static<typeof Found>> {
  const path = join(cacheFolder, 'encoders.json');
  const { video, format, webmCodec = '' } = settings;
  const machine = `${cpus().length} ${cpus()[0]?.model ?? ''}`;
  const key = [
    ...[machine, ffmpeg.path, ffmpeg.version, hardware.map(({ encoder }) => encoder).join('+')],
    ...[format, webmCodec, video?.width, video?.height],
  ].join(' · ');
  const known = await readCache(path);
  const before = known[key];
  if (before !== undefined) return before;
  const found = await find();
  try {
    await mkdir(cacheFolder, { recursive: true });
    const partial = `${path}.${process.pid}`;
    await writeFile(partial, JSON.stringify({ ...(await readCache(path)), [key]: found }));
    await rename(partial, path);
  } catch {
    // A folder that cannot be written to costs half a second each time, and nothing else.
  }
  return found;
}

async function readCache(path: string): Promise<Cache> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return Value.Check(Cache, value) ? value : {};
  } catch {
    return {};
  }
}

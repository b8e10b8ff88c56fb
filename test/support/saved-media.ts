/** Looks into saved files with ffmpeg: what a player would show of them. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runFfmpeg } from './barcode-ffmpeg.ts';

export interface SavedMedia {
  readonly path: string;
  readonly kind: 'audio' | 'video';
  readonly codec: string;
  /** Decoded pictures; 0 for sound. */
  readonly frames: number;
  /** Decoded length in seconds. */
  readonly seconds: number;
  readonly width?: number;
  readonly height?: number;
}

/** Decodes a file of one track from its beginning to its end; fails when ffmpeg complains about anything. */
export async function readSavedMedia(path: string): Promise<SavedMedia> {
  const { stderr } = await runFfmpeg([
    '-nostdin',
    '-xerror',
    '-i',
    path,
    '-vsync',
    '0',
    '-f',
    'null',
    '-',
    '-stats',
  ]);
  const stream = /Stream #0:0.*: (Video|Audio): (\w+)(?:.*?, (\d{2,})x(\d{2,}))?/.exec(stderr);
  const progress = [...stderr.matchAll(/time=(\d+):(\d+):([\d.]+)/g)].at(-1);
  if (!stream || !progress) throw new Error(`${path} cannot be decoded: ${stderr}`);
  // Two pictures of one instant, where the server changes the layer, are a matter of ffmpeg's null muxer only.
  const complaint = stderr
    .split('\n')
    .find((line) => /error|invalid|corrupt|missing/i.test(line) && !/non monotonically/.test(line));
  if (complaint !== undefined) throw new Error(`${path}: ${complaint}`);
  return {
    path,
    kind: stream[1] === 'Video' ? 'video' : 'audio',
    codec: stream[2]!,
    frames: Number([...stderr.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1] ?? 0),
    seconds: Number(progress[1]) * 3600 + Number(progress[2]) * 60 + Number(progress[3]),
    ...(stream[3] === undefined ? {} : { width: Number(stream[3]), height: Number(stream[4]) }),
  };
}

/** All files of a folder, by the beginning of their names up to the first dash: whose they are. */
export async function readSavedFolder(folder: string): Promise<Map<string, SavedMedia[]>> {
  const found = new Map<string, SavedMedia[]>();
  for (const name of (await readdir(folder)).sort()) {
    const whose = name.split('-')[0]!;
    found.set(whose, [...(found.get(whose) ?? []), await readSavedMedia(join(folder, name))]);
  }
  return found;
}

/** When a Matroska file's time 0 was, milliseconds since the epoch: its DateUTC. */
export async function matroskaDate(path: string): Promise<number> {
  const { stderr } = await runFfmpeg(['-nostdin', '-i', path, '-f', 'ffmetadata', '-y', '/dev/null']);
  const date = /creation_time\s*: (\S+)/.exec(stderr)?.[1];
  if (date === undefined) throw new Error(`${path} has no date`);
  return Date.parse(date);
}

/** Height of each picture in a file, in order: it changes with the simulcast layer. */
export async function pictureHeights(path: string): Promise<number[]> {
  const { stderr } = await runFfmpeg([
    '-nostdin',
    '-i',
    path,
    '-vsync',
    '0',
    '-vf',
    'showinfo',
    '-f',
    'null',
    '-',
  ]);
  return [...stderr.matchAll(/Parsed_showinfo.*? s:\d+x(\d+)/g)].map((match) => Number(match[1]));
}

/** Recordings as the recorder leaves them, made of coloured pictures, beeps and spoken lines. */
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordingFolder } from '../../../src/recorder/folder/index.ts';
import type { RecordingEvent, RecordingFormat } from '../../../src/recorder/types.ts';
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';

/** Milliseconds since the epoch at which all of them began. */
export const STARTED_AT = 1_750_000_000_000;

export interface FixtureOptions {
  readonly format?: RecordingFormat;
  /** Length of the live file, seconds. */
  readonly seconds: number;
  /** A colour of ffmpeg's for each ten seconds of the picture. */
  readonly colours?: readonly string[];
  /** A picture that moves all the time in place of them. */
  readonly moving?: boolean;
  readonly events?: readonly RecordingEvent[];
  /** Makes files in the folder's `tracks/`. */
  readonly tracks?: (folder: string) => Promise<void>;
  /** No live file. */
  readonly tracksOnly?: boolean;
}

const templates = new Map<string, Promise<{ directory: string }>>();

/** A copy of a recording that is made once for all tests of a file with the same options; both are temporary folders. */
export async function copyRecording(
  name: string,
  options: FixtureOptions,
): Promise<{ directory: string; path: string }> {
  const template = templates.get(name) ?? makeRecording(options);
  templates.set(name, template);
  const directory = await mkdtemp(join(tmpdir(), 'meet-after-'));
  await cp((await template).directory, directory, { recursive: true, preserveTimestamps: true });
  return { directory, path: join(directory, 'rec-1') };
}

/** Removes what `copyRecording` copies from. */
export async function removeTemplates(): Promise<void> {
  for (const template of templates.values())
    await rm((await template).directory, { recursive: true, force: true });
  templates.clear();
}

/** Makes a stopped recording `<temporary folder>/rec-1` and gives the temporary folder. */
export async function makeRecording(options: FixtureOptions): Promise<{ directory: string; path: string }> {
  const { format = 'mp4', seconds, events = [], tracks, tracksOnly = false } = options;
  const directory = await mkdtemp(join(tmpdir(), 'meet-after-'));
  const folder = await RecordingFolder.create(directory, {
    id: 'rec-1',
    server: 'http://127.0.0.1:1',
    meetingId: 'abc',
    title: 'Budget; first = part',
    createdAt: STARTED_AT - 1_000,
    options: {
      ...{ layout: 'gallery', width: 320, height: 180, fps: 10, bitrate: 200_000, format, clock: false },
      tracksOnly,
    },
  });
  try {
    const start: RecordingEvent = { type: 'start', at: STARTED_AT, meetingId: 'abc', title: 'Budget' };
    const lines = [start, ...events].map((event) => JSON.stringify(event));
    await writeFile(folder.file('events.jsonl'), `${lines.join('\n')}\n`);
    await tracks?.(folder.file('tracks'));
    if (!tracksOnly) await makeLive(folder.file(`live.${format}`), options);
    await folder.become('recording', { startedAt: STARTED_AT });
    await folder.become('stopped', { stoppedAt: STARTED_AT + seconds * 1_000 });
  } finally {
    await folder.close();
  }
  return { directory, path: join(directory, 'rec-1') };
}

/** A fragmented file like the recorder's: fragments of a second, beeps, and the picture's colour by ten seconds. */
async function makeLive(
  path: string,
  { format = 'mp4', seconds, colours = ['red'], moving = false }: FixtureOptions,
): Promise<void> {
  const pictures = colours.flatMap((colour, index) => {
    const length = Math.min(10, seconds - index * 10);
    return ['-f', 'lavfi', '-i', `${moving ? 'testsrc2=' : `color=${colour}:`}s=320x180:r=10:d=${length}`];
  });
  const sound = ['-f', 'lavfi', '-i', `sine=frequency=440:beep_factor=4:d=${seconds}`];
  const joined = `${colours.map((_, index) => `[${index}:v]`).join('')}concat=n=${colours.length}:v=1:a=0[v]`;
  const webm = format === 'webm';
  await runFfmpeg([
    ...(format === 'm4a' ? sound : [...pictures, ...sound, '-filter_complex', joined, '-map', '[v]']),
    ...(format === 'm4a' ? ['-map', '0:a'] : ['-map', `${colours.length}:a`]),
    ...(webm
      ? ['-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '200k']
      : ['-c:v', 'libx264', '-preset', 'ultrafast']),
    ...['-g', '10', '-pix_fmt', 'yuv420p', '-c:a', webm ? 'libopus' : 'aac'],
    ...(webm
      ? ['-f', 'webm', '-live', '1', '-cluster_time_limit', '1000']
      : [
          '-f',
          'mp4',
          '-movflags',
          '+frag_keyframe+empty_moov+default_base_moof',
          '-frag_duration',
          '1000000',
        ]),
    path,
  ]);
}

/** Speech as a track file: each line said at so many seconds after the first, and no packets in between, as with DTX. */
export async function makeSpeech(
  path: string,
  lines: readonly { readonly at: number; readonly text: string }[],
  voice = 'slt',
): Promise<void> {
  const inputs = lines.flatMap(({ text }) => ['-f', 'lavfi', '-i', `flite=text='${text}':voice=${voice}`]);
  const parts = lines.map(
    ({ at }, index) =>
      `[${index}:a]aresample=48000,adelay=${at * 1000}:all=1,apad=whole_dur=${SPOKEN_S}[a${index}]`,
  );
  const mixed = `${lines.map((_, index) => `[a${index}]`).join('')}amix=inputs=${lines.length}:normalize=0[a]`;
  const sent = lines.map(({ at }) => `between(n/50,${at},${at + LINE_S})`).join('+');
  await runFfmpeg([
    ...inputs,
    ...['-filter_complex', [...parts, mixed].join(';'), '-map', '[a]', '-c:a', 'libopus', '-b:a', '32k'],
    ...['-ac', '1', '-bsf:a', `noise=amount=0:drop='not(${sent})'`, '-f', 'matroska', path],
  ]);
}

/** Longest track of speech, and longest line, seconds. */
const SPOKEN_S = 60;
const LINE_S = 3.5;

/** A track that is silent but for a second of sound at each of these seconds, without packets in between. */
export async function makeTones(path: string, at: readonly number[]): Promise<void> {
  const heard = at.map((second) => `between(t,${second},${second + 1})`).join('+');
  const sent = at.map((second) => `between(n/50,${second},${second + 1.5})`).join('+');
  await runFfmpeg([
    ...['-f', 'lavfi', '-i', `aevalsrc='0.2*sin(2764*t)*(${heard})':s=48000:d=${Math.max(...at) + 2}`],
    ...['-c:a', 'libopus', '-b:a', '32k', '-ac', '1', '-bsf:a', `noise=amount=0:drop='not(${sent})'`],
    ...['-f', 'matroska', path],
  ]);
}

/** What a player would find in a finished recording. */
import { runFfmpeg } from '../../support/barcode-ffmpeg.ts';

export interface FinishedFile {
  /** Codecs of the streams that are played, in their order. */
  readonly codecs: readonly string[];
  readonly chapters: readonly { readonly startMs: number; readonly endMs: number; readonly title: string }[];
  readonly title: string | undefined;
  /** Decoded pictures and their length. */
  readonly frames: number;
  readonly seconds: number;
}

/** Decodes the file from its beginning to its end; fails when ffmpeg complains about anything. */
export async function readFinished(path: string): Promise<FinishedFile> {
  const { stderr } = await runFfmpeg([
    ...['-xerror', '-i', path, '-map', '0:v?', '-map', '0:a?', '-f', 'null', '-', '-stats'],
  ]);
  const complaint = /error|invalid|corrupt|missing/i.exec(stderr.slice(stderr.indexOf('Stream mapping')));
  if (complaint) throw new Error(`${path}: ${stderr}`);
  const { stdout } = await runFfmpeg(['-i', path, '-f', 'ffmetadata', '-']);
  const [head = '', ...chapters] = stdout.toString().split('[CHAPTER]');
  const field = (text: string, name: string) =>
    new RegExp(`^${name}=(.*)$`, 'm').exec(text)?.[1]?.replace(/\\(.)/g, '$1');
  const inputs = stderr.slice(0, stderr.indexOf('Stream mapping'));
  const progress = [...stderr.matchAll(/time=(\d+):(\d+):([\d.]+)/g)].at(-1)!;
  return {
    codecs: [...inputs.matchAll(/Stream #0:\d+.*: (?:Video|Audio|Subtitle): (\w+)/g)].map(
      (match) => match[1]!,
    ),
    chapters: chapters.map((text) => {
      const [, unit = '1'] = /^TIMEBASE=1\/(\d+)$/m.exec(text) ?? [];
      const ms = (name: string) => Math.round((Number(field(text, name)) / Number(unit)) * 1_000);
      return { startMs: ms('START'), endMs: ms('END'), title: field(text, 'title') ?? '' };
    }),
    title: field(head, 'title'),
    frames: Number([...stderr.matchAll(/frame=\s*(\d+)/g)].at(-1)?.[1] ?? 0),
    seconds: Number(progress[1]) * 3_600 + Number(progress[2]) * 60 + Number(progress[3]),
  };
}

/** The subtitles of a file, as SRT. */
export async function subtitlesOf(path: string): Promise<string> {
  return (await runFfmpeg(['-i', path, '-map', '0:s', '-f', 'srt', '-'])).stdout
    .toString()
    .replaceAll('\r', '');
}

/** Mean colour of a part of a picture, red, green, blue; the whole unless told. */
export async function colourOf(path: string, crop?: string): Promise<[number, number, number]> {
  const filter = `${crop === undefined ? '' : `crop=${crop},`}scale=1:1:flags=area`;
  const { stdout } = await runFfmpeg(['-i', path, '-vf', filter, '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-']);
  return [stdout[0]!, stdout[1]!, stdout[2]!];
}

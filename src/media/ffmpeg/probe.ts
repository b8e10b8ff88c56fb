import { MeetError } from '../../protocol/errors.ts';
import type { Ffmpeg } from './locate.ts';
import { capture } from './process.ts';
import { lastMeaningfulLine } from './stderr.ts';

/** Reading a file's head takes well under a second; a network file system may take longer. */
const PROBE_TIMEOUT_MS = 30_000;

/**
 * Demuxers that make "media" of text, of any bytes in a file with a certain ending, or of other files: `bin` to `idf`
 * are text art, and the last three are lists.
 */
const REFUSED_FORMATS = new Set([
  ...['tty', 'bin', 'xbin', 'adf', 'idf', 'sbg', 'data', 'srt', 'ass', 'webvtt', 'ffmetadata', 'lavfi'],
  ...['concat', 'hls', 'sdp'],
]);

/** What one file holds. */
export interface MediaProbe {
  /** ffmpeg's name of the container, such as `matroska,webm`. */
  readonly format: string;
  /** Seconds; unknown for some streams and still images. */
  readonly duration?: number;
  readonly video?: VideoProbe;
  readonly audio?: { readonly stream: number; readonly channels: 1 | 2 };
}

export interface VideoProbe {
  /** Index of the stream in its file. */
  readonly stream: number;
  /** Pixels as shown: after rotation and with square pixels. */
  readonly width: number;
  readonly height: number;
  /** Nominal frames a second. */
  readonly frameRate: number;
  /** One picture without a duration. */
  readonly still: boolean;
}

/**
 * Asks ffmpeg what a file holds. `ffmpeg -i` is parsed rather than ffprobe's JSON, because the build that comes
 * from npm has no ffprobe.
 *
 * @throws MeetError `media-unusable` with a sentence that names the file
 */
export async function probe(ffmpeg: Ffmpeg, path: string, signal?: AbortSignal): Promise<MediaProbe> {
  const { stderr } = await capture(
    ffmpeg.path,
    ['-nostdin', '-hide_banner', '-protocol_whitelist', 'file', '-i', `file:${path}`],
    { timeoutMs: PROBE_TIMEOUT_MS, signal },
  );
  const result = parseProbe(stderr);
  if (!result || REFUSED_FORMATS.has(result.format)) {
    const reason = result ? undefined : lastMeaningfulLine(stderr)?.replace(`${path}: `, '');
    throw new MeetError(
      'media-unusable',
      `${path} is not a media file that ffmpeg can read${reason ? ` (${reason})` : ''}.`,
      { hint: 'Give a video, a sound file or an image, such as MP4, MKV, WebM, MOV, WAV, MP3, PNG or JPEG.' },
    );
  }
  if (!result.video && !result.audio) {
    throw new MeetError('media-unusable', `${path} holds neither picture nor sound.`);
  }
  return result;
}

/** Reads what `ffmpeg -i` printed; `undefined` when it could not open the file. */
function parseProbe(stderr: string): MediaProbe | undefined {
  const input = /^Input #0, (.+), from '/m.exec(stderr);
  if (!input) return undefined;
  const format = input[1]!;
  const duration = /^ {2}Duration: (\d+):(\d+):([\d.]+)/m.exec(stderr);
  const seconds = duration && Number(duration[1]) * 3600 + Number(duration[2]) * 60 + Number(duration[3]);
  const streams = stderr
    .slice(input.index)
    .split(/^(?=\s+Stream #0:\d+)/m)
    .slice(1);
  const audio = streams.map(parseAudio).find((stream) => stream !== undefined);
  const image = format === 'image2' || format.endsWith('_pipe');
  const video = streams.map((text) => parseVideo(text, image)).find((stream) => stream !== undefined);
  return {
    format,
    ...(seconds ? { duration: seconds } : {}),
    ...(video ? { video } : {}),
    ...(audio ? { audio } : {}),
  };
}

const STREAM = /^\s+Stream #0:(\d+)(?:\[[^\]]*\])?(?:\([^)]*\))?: (Video|Audio): (.*)$/m;

function parseAudio(text: string): MediaProbe['audio'] {
  const line = STREAM.exec(text);
  if (line?.[2] !== 'Audio' || line[3]!.startsWith('none')) return undefined;
  const layout = /, [1-9]\d* Hz, ([^,\n]+)/.exec(line[3]!)?.[1];
  if (layout === undefined || layout.startsWith('0 channels')) return undefined;
  return { stream: Number(line[1]), channels: /^(mono|1 channels)/.test(layout) ? 1 : 2 };
}

/** The size of the first video stream in what ffmpeg prints of an input or output. */
export function parseVideoSize(text: string): { width: number; height: number } | undefined {
  const size = /Stream #0:\d+.*: Video: .*?, ([1-9]\d*)x([1-9]\d*)/.exec(text);
  return size ? { width: Number(size[1]), height: Number(size[2]) } : undefined;
}

function parseVideo(text: string, image: boolean): VideoProbe | undefined {
  const line = STREAM.exec(text);
  if (line?.[2] !== 'Video' || line[3]!.startsWith('none')) return undefined;
  const details = line[3]!;
  const size = /, ([1-9]\d*)x([1-9]\d*)(?: \[SAR (\d+):(\d+)| SAR (\d+):(\d+))?/.exec(details);
  if (!size || isCoverPicture(details)) return undefined;
  const aspect = Number(size[3] ?? size[5] ?? 1) / Number(size[4] ?? size[6] ?? 1);
  const stored = {
    width: Math.round(Number(size[1]) * (Number.isFinite(aspect) && aspect > 0 ? aspect : 1)),
    height: Number(size[2]),
  };
  const rotation =
    /displaymatrix: rotation of (-?[\d.]+) degrees/.exec(text)?.[1] ??
    /^\s+rotate\s*: (-?\d+)/m.exec(text)?.[1];
  const turned = Math.abs(Math.round(Number(rotation ?? 0) / 90)) % 2 === 1;
  const rate = Number(/([\d.]+) fps/.exec(details)?.[1] ?? /([\d.]+) tbr/.exec(details)?.[1] ?? 0);
  return {
    stream: Number(line[1]),
    width: turned ? stored.height : stored.width,
    height: turned ? stored.width : stored.height,
    frameRate: rate > 0 && rate <= 240 ? rate : 30,
    still: image,
  };
}

/** The cover of a song. Builds before 4.2 do not say "attached pic", but give such streams a 90 kHz "rate". */
function isCoverPicture(details: string): boolean {
  return (
    details.includes('(attached pic)') ||
    (/^(mjpeg|png|bmp|webp)\b/.test(details) && /, 90k tbr/.test(details))
  );
}

/** A finished recording again as H.265, which takes about half the room. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ffmpeg, keepTimes } from '../../media/ffmpeg/locate.ts';
import { capture } from '../../media/ffmpeg/process.ts';
import { MeetError } from '../../protocol/errors.ts';
import { isUnfinished, RecordingFolder } from '../folder/index.ts';
import { CONTAINERS } from './mux/formats.ts';
import { runCounted } from './mux/packets.ts';
import { diskFull } from './mux/remux.ts';
import { makeWorkFolder, placeFile } from './place.ts';
import { fingerprint, outputFile } from './steps/paths.ts';

export interface CompressOptions {
  readonly ffmpeg: Ffmpeg;
  /** x265's scale, 0 (lossless) to 51. */
  readonly crf?: number;
  readonly preset?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface CompressReport {
  readonly id: string;
  /** Bytes. */
  readonly before: number;
  readonly after: number;
  /** Likeness of the pictures, 0 to 1 (SSIM). */
  readonly likeness?: number;
  /** Why it was left as it is. */
  readonly note?: string;
}

/** About as good as the H.264 of a recording; people who sit and talk need little. */
export const COMPRESS_CRF = 26;
const PRESET = 'medium';
/** A picture that is less like the original has something wrong with it; H.265 at any usable quality is far above. */
const LEAST_LIKENESS = 0.85;
/** Width at which pictures are compared, pixels: faults of an encoder are larger than that. */
const COMPARED_WIDTH = 320;

/**
 * Replaces a finished MP4 by one with H.265, once it is known that every picture is there and looks like the original
 * and that the sound is the same; chapters and captions stay. What would not be smaller stays as it is.
 *
 * @throws MeetError `not-found`, `recording-busy`, `wrong-state` for one that is not finished or no MP4, `ffmpeg-missing`
 *   where ffmpeg has no H.265, `ffmpeg-failed`, `disk-full`; the original is still there then
 */
export async function compressRecording(path: string, options: CompressOptions): Promise<CompressReport> {
  const { ffmpeg, crf = COMPRESS_CRF, preset = PRESET, signal } = options;
  const folder = await RecordingFolder.open(path);
  let workFolder: string | undefined;
  try {
    const media = await finishedMp4(folder);
    const before = (await stat(media)).size;
    const unchanged = (note: string) => ({ id: folder.id, before, after: before, note });
    if (await isHevc(ffmpeg, media)) return unchanged('It is H.265 already.');
    if (!ffmpeg.encoders.has('libx265')) {
      throw new MeetError('ffmpeg-missing', `${ffmpeg.path} has no H.265 encoder (libx265).`, {
        hint: 'Install an ffmpeg with libx265, such as that of Debian or Homebrew, or set MEET_FFMPEG to one.',
      });
    }
    workFolder = await makeWorkFolder(path);
    const smaller = join(workFolder, 'compressed.mp4');
    const streams = await encode(ffmpeg, media, smaller, { crf, preset, signal });
    const likeness = await verify(ffmpeg, media, smaller, streams, signal);
    const after = (await stat(smaller)).size;
    if (after >= before) return unchanged('H.265 would not be smaller.');
    await placeFile(smaller, media);
    return { id: folder.id, before, after, likeness };
  } finally {
    if (workFolder !== undefined) await rm(workFolder, { recursive: true, force: true });
    await folder.close();
  }
}

async function finishedMp4(folder: RecordingFolder): Promise<string> {
  const { id, recording } = folder;
  if (recording.options.format !== 'mp4')
    throw new MeetError(
      'wrong-state',
      `The recording ${id} is ${recording.options.format}, which holds no H.265.`,
    );
  const media = outputFile(folder);
  if (isUnfinished(recording.state) || (await fingerprint(media)) === undefined) {
    throw new MeetError('wrong-state', `The recording ${id} is not finished.`, {
      hint: `Finish it with: meet recordings process ${id}`,
    });
  }
  return media;
}

async function isHevc(ffmpeg: Ffmpeg, media: string): Promise<boolean> {
  const { stderr } = await capture(ffmpeg.path, ['-nostdin', '-hide_banner', '-i', `file:${media}`]);
  return /Stream #0:\d+.*: Video: hevc\b/.test(stderr);
}

async function encode(
  ffmpeg: Ffmpeg,
  media: string,
  output: string,
  { crf, preset, signal }: { crf: number; preset: string; signal: AbortSignal | undefined },
) {
  return await runCounted(
    ffmpeg,
    [
      ...[
        '-i',
        `file:${media}`,
        '-map',
        '0:v',
        '-map',
        '0:a?',
        '-map',
        '0:s?',
        '-map_chapters',
        '0',
        '-c',
        'copy',
      ],
      // Pictures keep their times to the tick, whatever the frame rate is taken for.
      ...[...keepTimes(ffmpeg), '-enc_time_base', '-1'],
      // Apple's players take H.265 under this name only.
      ...[
        '-c:v',
        'libx265',
        '-preset',
        preset,
        '-crf',
        String(crf),
        '-tag:v',
        'hvc1',
        '-x265-params',
        'log-level=1',
      ],
      ...[...CONTAINERS.mp4.indexInFront(0), '-f', 'mp4', '-y', `file:${output}`],
    ],
    { work: `compressing ${media}`, signal },
  ).catch((error: unknown) => {
    throw diskFull(error, output) ?? error;
  });
}

/** Decodes both from end to end; gives how alike their pictures are. */
async function verify(
  ffmpeg: Ffmpeg,
  media: string,
  output: string,
  source: Awaited<ReturnType<typeof encode>>,
  signal: AbortSignal | undefined,
): Promise<number> {
  const small = `scale=${COMPARED_WIDTH}:-2`;
  let log = '';
  const made = await runCounted(
    ffmpeg,
    [
      ...['-xerror', '-i', `file:${output}`, '-i', `file:${media}`],
      ...[
        '-filter_complex',
        `[0:v]${small}[a];[1:v]${small}[b];[a][b]ssim[c]`,
        '-map',
        '[c]',
        '-f',
        'null',
        '-',
      ],
    ],
    {
      work: `checking ${output}`,
      signal,
      onLog: (text) => {
        log = text;
      },
    },
  );
  const refuse = (why: string) =>
    new MeetError('ffmpeg-failed', `The H.265 of ${media} ${why}; the original stays.`);
  const isWhole = source.every(({ packets, digest }, index) => {
    const stream = made[index];
    // The picture comes first; the sound is the same packets.
    return stream?.packets === packets && (index === 0 || stream.digest === digest);
  });
  if (!isWhole || made.length !== source.length) throw refuse('does not have all pictures and sound');
  const likeness = Number(/SSIM .*All:([\d.]+)/.exec(log)?.[1]);
  if (!(likeness >= LEAST_LIKENESS)) throw refuse(`does not look like it (SSIM ${likeness})`);
  return likeness;
}

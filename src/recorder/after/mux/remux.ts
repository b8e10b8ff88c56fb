/** Makes the finished file: the same packets in a file that plays from its beginning, with chapters and captions. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ffmpeg } from '../../../media/ffmpeg/locate.ts';
import { saveError } from '../../../media/save/index.ts';
import { MeetError } from '../../../protocol/errors.ts';
import type { RecordingFormat } from '../../types.ts';
import type { Chapter } from '../chapters.ts';
import { threeLetters } from '../transcript/language.ts';
import { CONTAINERS } from './formats.ts';
import { writeMetadata } from './metadata.ts';
import { runCounted, type StreamSum } from './packets.ts';

export interface RemuxInput {
  /** The file with picture and sound; what a crash left of it is enough. */
  readonly media: string;
  readonly format: RecordingFormat;
  readonly chapters: readonly Chapter[];
  readonly title?: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAt?: number | undefined;
  /** An SRT or WebVTT file, as the format has it, and its language as in BCP 47. */
  readonly captions?: { readonly path: string; readonly language?: string | undefined } | undefined;
  /** Length of the media, seconds, about. */
  readonly seconds: number;
}

/** What the players call the stream; they have no better place for it. */
const CAPTIONS_TITLE = 'Transcript';

/**
 * Writes `output` in the work folder and checks that every packet of the input is in it and that it can be decoded.
 *
 * @throws MeetError `media-unusable` for an input without picture and sound, `ffmpeg-failed`, `disk-full`
 */
export async function remux(
  ffmpeg: Ffmpeg,
  input: RemuxInput,
  output: string,
  options: { readonly workFolder: string; readonly signal?: AbortSignal | undefined },
): Promise<{ readonly seconds: number }> {
  const { media, format, captions } = input;
  const container = CONTAINERS[format];
  const metadata = join(options.workFolder, 'metadata.txt');
  try {
    await writeFile(metadata, writeMetadata(input.chapters, input.title, input.startedAt));
  } catch (error) {
    throw saveError(metadata, error);
  }
  const language = captions?.language === undefined ? undefined : threeLetters(captions.language);
  const read = await runCounted(
    ffmpeg,
    [
      // A packet that was cut off is not in the finished file.
      ...['-fflags', '+discardcorrupt', '-i', `file:${media}`, '-f', 'ffmetadata', '-i', `file:${metadata}`],
      ...(captions ? ['-i', `file:${captions.path}`] : []),
      ...['-map', '0:v?', '-map', '0:a?', ...(captions ? ['-map', '2:s'] : [])],
      ...['-map_metadata', '1', '-map_chapters', '1', '-c', 'copy'],
      ...(captions
        ? [
            '-c:s',
            container.subtitles,
            '-metadata:s:s:0',
            `title=${CAPTIONS_TITLE}`,
            ...(language === undefined ? [] : ['-metadata:s:s:0', `language=${language}`]),
          ]
        : []),
      ...container.indexInFront(input.seconds),
      ...['-f', container.muxer, '-y', `file:${output}`],
    ],
    { work: `finishing ${media}`, signal: options.signal },
  ).catch((error: unknown) => {
    throw diskFull(error, output) ?? error;
  });
  if (read.length === 0) throw new MeetError('media-unusable', `${media} holds neither picture nor sound.`);
  const written = await check(ffmpeg, output, options.signal);
  assertSame(read, written, output);
  return { seconds: Math.max(...written.map(({ seconds }) => seconds)) };
}

/**
 * Reads a finished file from its beginning to its end and decodes its sound and its keyframes.
 *
 * @throws MeetError `ffmpeg-failed` when something of it cannot be decoded
 */
async function check(ffmpeg: Ffmpeg, path: string, signal?: AbortSignal): Promise<StreamSum[]> {
  return await runCounted(
    ffmpeg,
    [
      ...['-xerror', '-skip_frame', 'nokey', '-i', `file:${path}`],
      ...['-map', '0:v?', '-map', '0:a?', '-f', 'null', '-'],
    ],
    { work: `checking ${path}`, signal },
  );
}

function assertSame(read: readonly StreamSum[], written: readonly StreamSum[], path: string): void {
  const isSame = read.every(
    ({ packets, digest }, index) => written[index]?.packets === packets && written[index].digest === digest,
  );
  if (!isSame || read.length !== written.length) {
    const count = (sums: readonly StreamSum[]) => sums.map(({ packets }) => packets).join(' + ');
    throw new MeetError(
      'ffmpeg-failed',
      `${path} does not hold what was recorded (${count(written)} packets of ${count(read)}).`,
    );
  }
}

/** ffmpeg's own words for a full disk as an error that says so. */
export function diskFull(error: unknown, path: string): MeetError | undefined {
  if (!(error instanceof MeetError) || !/No space left on device|Disk quota exceeded/.test(error.message))
    return undefined;
  return new MeetError('disk-full', `There is no space left for ${path}.`, { cause: error });
}

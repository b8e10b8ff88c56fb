/** ffmpeg's metadata files (https://ffmpeg.org/ffmpeg-formats.html#Metadata-2). */
import type { Chapter } from '../chapters.ts';
import { oneLine } from '../vtt/write.ts';

/** Title, time of recording and chapters as ffmpeg reads them. `startedAt` is in milliseconds since the epoch. */
export function writeMetadata(
  chapters: readonly Chapter[],
  title?: string | null,
  startedAt?: number,
): string {
  const lines = [';FFMETADATA1'];
  if (title) lines.push(`title=${escaped(title)}`);
  if (startedAt !== undefined) lines.push(`creation_time=${new Date(startedAt).toISOString()}`);
  for (const chapter of chapters) {
    lines.push('[CHAPTER]', 'TIMEBASE=1/1000', `START=${chapter.startMs}`, `END=${chapter.endMs}`);
    lines.push(`title=${escaped(chapter.title)}`);
  }
  return `${lines.join('\n')}\n`;
}

const escaped = (text: string): string => oneLine(text).replace(/[=;#\\]/g, '\\$&');

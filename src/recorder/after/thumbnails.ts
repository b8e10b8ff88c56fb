/** Pictures every few seconds, and all of them on one sheet for players that show them along the time line. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { runCounted } from './mux/packets.ts';
import { diskFull } from './mux/remux.ts';
import { writeVtt } from './vtt/write.ts';

/** Time from one picture to the next, seconds. */
export const THUMBNAIL_INTERVAL_S = 10;
/** Pixels; the height follows from the recording's shape. */
const THUMBNAIL_WIDTH = 320;
/** Of a picture on the sheet. */
const TILE_WIDTH = 160;
/** More would make a sheet of more than 16 megapixels, which telephones do not show. */
const MAX_TILES = 1_000;
/** mjpeg's scale, 2 (best) to 31. */
const JPEG_QUALITY = '5';

export interface ThumbnailPlan {
  /** How many pictures there are at most. */
  readonly count: number;
  /** The sheet has every so many of them. */
  readonly every: number;
  readonly columns: number;
  readonly rows: number;
  /** Pixels of a picture on the sheet. */
  readonly tile: { readonly width: number; readonly height: number };
}

/** How the pictures of a recording of this length and size are laid out. */
export function planThumbnails(seconds: number, width: number, height: number): ThumbnailPlan {
  const count = Math.max(1, Math.ceil(seconds / THUMBNAIL_INTERVAL_S));
  const every = Math.ceil(count / MAX_TILES);
  const tiles = Math.ceil(count / every);
  const columns = Math.min(tiles, Math.max(10, Math.ceil(Math.sqrt(tiles))));
  const even = (value: number) => Math.max(2, Math.round(value / 2) * 2);
  return {
    count,
    every,
    columns,
    rows: Math.ceil(tiles / columns),
    tile: { width: TILE_WIDTH, height: even((TILE_WIDTH * height) / width) },
  };
}

/**
 * Writes `thumbnails/00001.jpg`, … and `sprite.jpg` into a folder, in one pass that decodes keyframes only: a picture is
 * the last keyframe before the middle of its ten seconds. Gives how many there are.
 *
 * @throws MeetError `ffmpeg-failed`, `disk-full`
 */
export async function makeThumbnails(
  ffmpeg: Ffmpeg,
  media: string,
  folder: string,
  plan: ThumbnailPlan,
  signal?: AbortSignal,
): Promise<number> {
  const pictures = join(folder, 'thumbnails');
  await mkdir(pictures, { recursive: true });
  const { tile, columns, rows, every } = plan;
  const input = [
    `[0:v:0]tpad=stop_mode=clone:stop_duration=${THUMBNAIL_INTERVAL_S}`,
    // The rate filter's own start time is rounded to whole intervals by some versions.
    `setpts=PTS-${THUMBNAIL_INTERVAL_S / 2}/TB,fps=1/${THUMBNAIL_INTERVAL_S}:start_time=0:round=up`,
    `trim=end_frame=${plan.count},split[a][b]`,
  ];
  const outputs = [
    `[a]scale=${THUMBNAIL_WIDTH}:-2[single]`,
    `[b]select='not(mod(n,${every}))',scale=${tile.width}:${tile.height},tile=${columns}x${rows}[sheet]`,
  ];
  const jpeg = ['-c:v', 'mjpeg', '-q:v', JPEG_QUALITY, '-pix_fmt', 'yuvj420p'];
  await runCounted(
    ffmpeg,
    [
      ...[
        '-skip_frame',
        'nokey',
        '-i',
        `file:${media}`,
        '-filter_complex',
        `${input.join(',')};${outputs.join(';')}`,
      ],
      ...['-map', '[single]', ...jpeg, '-f', 'image2'],
      ...['-start_number', '1', `file:${join(pictures, '%05d.jpg')}`],
      ...['-map', '[sheet]', '-frames:v', '1', ...jpeg, '-f', 'image2', '-update', '1'],
      `file:${join(folder, 'sprite.jpg')}`,
    ],
    { work: `making thumbnails of ${media}`, signal },
  ).catch((error: unknown) => {
    throw diskFull(error, folder) ?? error;
  });
  return (await readdir(pictures)).length;
}

/** The WebVTT file that says which part of the sheet belongs to which time. */
export function spriteVtt(plan: ThumbnailPlan, count: number, seconds: number): string {
  const { every, columns, tile } = plan;
  const step = every * THUMBNAIL_INTERVAL_S * 1_000;
  const cues = Array.from({ length: Math.ceil(count / every) }, (_, index) => {
    const x = (index % columns) * tile.width;
    const y = Math.floor(index / columns) * tile.height;
    return {
      startMs: index * step,
      endMs: Math.min((index + 1) * step, Math.round(seconds * 1_000)),
      text: `sprite.jpg#xywh=${x},${y},${tile.width},${tile.height}`,
    };
  });
  return writeVtt(cues);
}

import { open } from 'node:fs/promises';
import { MeetError } from '../../protocol/errors.ts';
import { findFfmpeg } from '../ffmpeg/locate.ts';
import { probe } from '../ffmpeg/probe.ts';
import { FileFeed } from './file-feed.ts';
import { type ShareOptions, sourceOf } from './open-screen.ts';
import { PageFeed } from './page-feed.ts';
import type { ScreenSource } from './screen-source.ts';

const PDF_MARK = '%PDF-';
/** The mark may come after some bytes of something else (ISO 32000, annex H). */
const MARK_WITHIN = 1_024;

/** A file that is shared as a screen. */
export interface SharedFile {
  readonly source: ScreenSource;
  /** Of a document: turns its pages. */
  readonly pages?: PageFeed;
  /** The file has sound, too. */
  readonly hasSound: boolean;
}

/**
 * Opens a PDF, an image or a video to be shared like a screen.
 *
 * @throws MeetError `media-not-found`, `media-unusable`, `ffmpeg-missing`
 */
export async function openSharedFile(
  path: string,
  options: ShareOptions & { readonly loop?: boolean } = {},
): Promise<SharedFile> {
  const { ffmpegPath, loop = false } = options;
  const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
  if (await isPdf(path)) {
    const pages = await PageFeed.open(path);
    return { source: sourceOf({ feed: pages }, ffmpeg, options), pages, hasSound: false };
  }
  const { video, audio } = await probe(ffmpeg, path);
  if (!video) throw new MeetError('media-unusable', `${path} holds no picture.`);
  const feed = await FileFeed.openFile(ffmpeg, path, { loop, still: video.still });
  const endsWithFeed = !video.still;
  return { source: sourceOf({ feed }, ffmpeg, { ...options, endsWithFeed }), hasSound: audio !== undefined };
}

/** Opens what comes on a stream to be shared like a screen. @throws MeetError `media-unusable`, `ffmpeg-missing` */
export async function openSharedStream(
  input: NodeJS.ReadableStream,
  format: string | undefined,
  options: ShareOptions = {},
): Promise<ScreenSource> {
  const { ffmpegPath } = options;
  const ffmpeg = await findFfmpeg(ffmpegPath === undefined ? {} : { path: ffmpegPath });
  const feed = await FileFeed.openStream(ffmpeg, input, format);
  return sourceOf({ feed }, ffmpeg, { ...options, endsWithFeed: true });
}

async function isPdf(path: string): Promise<boolean> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(MARK_WITHIN), 0, MARK_WITHIN, 0);
      return buffer.subarray(0, bytesRead).includes(PDF_MARK);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new MeetError('media-not-found', `${path} cannot be read.`, { cause });
  }
}

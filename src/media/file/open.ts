import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { MeetError } from '../../protocol/errors.ts';
import { contentKey, MediaCache } from '../cache/cache.ts';
import { AUDIO_FRAME_TICKS, type EncodedMedia } from '../cache/media.ts';
import { ENCODE_VERSION } from '../encode/arguments.ts';
import { SinglePictureError } from '../encode/encoding.ts';
import { TICKS_PER_SECOND } from '../encode/keyframe-grid.ts';
import { simulcastLayers } from '../encode/layers.ts';
import { type Ffmpeg, findFfmpeg } from '../ffmpeg/locate.ts';
import { type MediaProbe, probe } from '../ffmpeg/probe.ts';
import type { EncodedSource, VideoCodec } from '../types.ts';
import type { Passes } from './passes.ts';
import { Player, type PlayerTrack } from './player.ts';
import { type EncodeJob, encodeWhilePlaying, openShared } from './shared-media.ts';
import { isTruncated } from './truncation.ts';

/** Bits that are stored for each bit of the layers' rates, measured: all levels together. */
const LEVELS_FACTOR = 2.7;
/** Stored bytes for each second of sound. */
const SOUND_BYTES_PER_SECOND = 8_000;
/** What must be encoded before a source counts as open: it then plays on while the rest is encoded. */
const READY_TICKS = TICKS_PER_SECOND / 2;
/** Two files whose lengths differ by less were made to run together; others loop each on its own. */
const TOGETHER_TICKS = TICKS_PER_SECOND;

export interface OpenFileOptions {
  /** File whose picture is sent, and its sound too when there is no `audio`. */
  readonly video?: string;
  /** File whose sound is sent. */
  readonly audio?: string;
  /** Starts again at the end, without a gap. A still image lasts as long as the sound, or for ever. */
  readonly loop?: boolean;
  readonly codec?: VideoCodec;
  /** The ffmpeg to use. It is only looked for and started when something is not in the cache. */
  readonly ffmpeg?: Ffmpeg | { readonly path?: string };
  /** Where encoded media is kept; without it media is encoded anew each time it is played. */
  readonly cacheDir?: string;
  /** Largest size of the cache in bytes, 2 GiB by default. Media that would take more than half, 720p of 23 minutes, is not kept. */
  readonly cacheBytes?: number;
  /** Opens only when everything is encoded, so that no encoder works while it plays. */
  readonly whole?: boolean;
  /** Ends the opening; an open source is ended by its `close()`. */
  readonly signal?: AbortSignal;
}

/**
 * Opens media files as a source of three simulcast layers and Opus. Each file is encoded once and then kept in the
 * cache; a source that is not there yet is open as soon as its first half second is encoded.
 *
 * @throws MeetError `media-not-found`, `media-unusable`, `ffmpeg-missing`, `ffmpeg-failed`, `disk-full`
 */
export async function openFile(options: OpenFileOptions): Promise<EncodedSource> {
  const { video, audio, loop = false } = options;
  const opened: Passes[] = [];
  const open = async (path: string, kinds: Kinds) => {
    const passes = await openPasses(path, kinds, options);
    opened.push(passes);
    return passes;
  };
  try {
    options.signal?.throwIfAborted();
    if (video === undefined && audio === undefined) {
      throw new MeetError('media-not-found', 'No media file was given.');
    }
    if (video === undefined || audio === undefined) {
      const path = (video ?? audio)!;
      const passes = await open(resolve(path), video === undefined ? 'sound' : 'any');
      return new Player(tracksOf(passes, passes, loop));
    }
    // One after the other: two encoders at once would both start late.
    const picture = await open(resolve(video), 'picture');
    const sound = await open(resolve(audio), 'sound');
    return new Player(tracksOf(picture, sound, loop));
  } catch (error) {
    await Promise.all(opened.map((passes) => passes.close()));
    throw error;
  }
}

/** What of a file is wanted: `any` takes what there is. */
type Kinds = 'any' | 'picture' | 'sound';

async function openPasses(path: string, kinds: Kinds, options: OpenFileOptions): Promise<Passes> {
  await checkFile(path);
  const { codec = 'vp8', loop = false, signal } = options;
  const settings = { version: ENCODE_VERSION, kinds, codec: kinds === 'sound' ? 'opus' : codec };
  const cache =
    options.cacheDir === undefined
      ? undefined
      : new MediaCache(options.cacheDir, { maxBytes: options.cacheBytes });
  let still = false;
  for (;;) {
    const passes = await openOnce();
    try {
      await ready(passes.first, signal, options.whole);
      return passes;
    } catch (error) {
      await passes.close();
      if (!(error instanceof SinglePictureError) || still) throw error;
      still = true;
    }
  }

  async function openOnce(): Promise<Passes> {
    if (!cache) return encodeWhilePlaying((await examine()).job, loop);
    const key = await contentKey(settings, path, signal);
    let notKept: EncodeJob | undefined;
    try {
      return await openShared(cache, key, async () => {
        const { duration, job } = await examine();
        if (isKept(duration, job, cache)) return job;
        notKept = job;
        throw new Error('Too large to be kept');
      });
    } catch (error) {
      if (notKept) return encodeWhilePlaying(notKept, loop);
      if (!isUnusableFolder(error)) throw error;
      return encodeWhilePlaying((await examine()).job, loop);
    }
  }

  async function examine(): Promise<{ duration: number | undefined; job: EncodeJob }> {
    const ffmpeg = await locate(options.ffmpeg);
    const found = await probe(ffmpeg, path);
    const request = requestFor(path, kinds, found, codec, still);
    return { duration: found.duration, job: { ffmpeg, name: path, request } };
  }
}

function isKept(duration: number | undefined, { request }: EncodeJob, cache: MediaCache): boolean {
  if (request.video?.still && !request.audio) return true;
  const bitrate = (request.video?.layers ?? []).reduce((sum, layer) => sum + layer.bitrate, 0);
  const bytesPerSecond = (bitrate / 8) * LEVELS_FACTOR + SOUND_BYTES_PER_SECOND;
  return duration !== undefined && duration * bytesPerSecond <= cache.maxEntryBytes;
}

/** A cache folder that cannot be written is no reason not to play. */
function isUnusableFolder(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'ENOSPC', 'EDQUOT'].includes(code ?? '');
}

function requestFor(
  path: string,
  kinds: Kinds,
  found: MediaProbe,
  codec: VideoCodec,
  still: boolean,
): EncodeJob['request'] {
  const video = kinds === 'sound' ? undefined : found.video;
  const audio = kinds === 'picture' ? undefined : found.audio;
  if (!video && kinds === 'picture') throw new MeetError('media-unusable', `${path} holds no picture.`);
  if (!audio && kinds === 'sound') throw new MeetError('media-unusable', `${path} holds no sound.`);
  return {
    input: ['-protocol_whitelist', 'file', '-i', `file:${path}`],
    ...(video && {
      video: {
        codec,
        layers: simulcastLayers(video.width, video.height),
        frameRate: still || video.still ? 10 : video.frameRate,
        still: still || video.still,
        stream: `0:${video.stream}`,
      },
    }),
    ...(audio && { audio: { channels: audio.channels, stream: `0:${audio.stream}` } }),
  };
}

/** Finds ffmpeg unless it has been found. */
export async function locate(ffmpeg: OpenFileOptions['ffmpeg']): Promise<Ffmpeg> {
  return ffmpeg && 'libavcodec' in ffmpeg ? ffmpeg : findFfmpeg(ffmpeg);
}

/** Waits until playing can begin, or until the media is there as a whole. */
export async function ready(media: EncodedMedia, signal?: AbortSignal, whole = false): Promise<void> {
  const isReady = () => media.complete || (!whole && media.availableTicks >= READY_TICKS);
  while (!isReady()) {
    if (media.failure) throw media.failure;
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        media.off('grown', settle);
        media.off('failed', settle);
        signal?.removeEventListener('abort', abort);
        if (error) reject(error);
        else resolve();
      };
      const abort = () => settle(MeetError.from(signal?.reason));
      media.on('grown', settle);
      media.on('failed', settle);
      signal?.addEventListener('abort', abort, { once: true });
      if (signal?.aborted) abort();
    });
  }
}

/** Tracks that play together: one length for both, unless they are two files of different length. */
export function tracksOf(
  picture: Passes,
  sound: Passes,
  loop: boolean,
): { video?: PlayerTrack; audio?: PlayerTrack } {
  const { still } = picture.first;
  const pictureLength = (pass: number) => lengthOf(picture.pass(pass), (media) => media.pictureDurationTicks);
  const soundLength = (pass: number) => lengthOf(sound.pass(pass), (media) => media.audioTicks);
  const together = (pass: number) => {
    const lengths = [pictureLength(pass), soundLength(pass)];
    const [a, b] = lengths;
    if (a === undefined || b === undefined) return undefined;
    // The next pass begins with the first whole Opus frame after both.
    return Math.ceil(Math.max(a, b) / AUDIO_FRAME_TICKS) * AUDIO_FRAME_TICKS;
  };
  const sameLength = () => {
    const [a, b] = [pictureLength(0), soundLength(0)];
    return a === undefined || b === undefined || Math.abs(a - b) < TOGETHER_TICKS;
  };
  const hasBoth = picture.first.video !== undefined && sound.first.audio !== undefined && !still;
  const joint = hasBoth && (picture === sound || sameLength());
  return {
    ...(picture.first.video && {
      video: { passes: picture, loop: loop || still, cycle: joint ? together : pictureLength },
    }),
    ...(sound.first.audio && { audio: { passes: sound, loop, cycle: joint ? together : soundLength } }),
  };
}

function lengthOf(media: EncodedMedia, length: (media: EncodedMedia) => number): number | undefined {
  return media.complete ? length(media) : undefined;
}

async function checkFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const missing = error.code === 'ENOENT' || error.code === 'ENOTDIR';
    throw new MeetError(
      'media-not-found',
      missing ? `There is no file ${path}.` : `${path} cannot be read.`,
      {
        cause: error,
      },
    );
  });
  if (found.isDirectory()) throw new MeetError('media-not-found', `${path} is a folder, not a media file.`);
  if (!found.isFile()) throw new MeetError('media-unusable', `${path} is not a regular file.`);
  await access(path, constants.R_OK).catch((error: unknown) => {
    throw new MeetError('media-not-found', `${path} may not be read by this user.`, { cause: error });
  });
  if (found.size === 0) throw new MeetError('media-unusable', `${path} is empty.`);
  if (await isTruncated(path)) {
    throw new MeetError('media-unusable', `${path} is truncated: it ends before its own header says.`, {
      hint: 'Copy or download the file again.',
    });
  }
}

import { contentKey, MediaCache } from '../cache/cache.ts';
import { ENCODE_VERSION } from '../encode/arguments.ts';
import { simulcastLayers } from '../encode/layers.ts';
import type { EncodedSource } from '../types.ts';
import { locate, type OpenFileOptions, ready, tracksOf } from './open.ts';
import { Player } from './player.ts';
import { type EncodeJob, encodeWhilePlaying, openShared } from './shared-media.ts';

/** Length of the pattern; it is repeated without a gap. */
const SECONDS = 10;
/** The beep and the white square last so long at each full second. */
const BEEP_SECONDS = 0.1;
const BEEP_HZ = 1000;

export interface TestPatternOptions
  extends Pick<OpenFileOptions, 'codec' | 'ffmpeg' | 'cacheDir' | 'cacheBytes' | 'signal'> {
  /** Pixels, 1280x720 by default. */
  readonly width?: number;
  readonly height?: number;
  /** Frames a second, 30 by default. */
  readonly frameRate?: number;
}

/**
 * A source that needs no file: moving shapes with a running clock, and at each full second a white square and a beep,
 * so that picture and sound can be compared. It never ends.
 *
 * @throws MeetError `ffmpeg-missing`, `ffmpeg-failed`, `disk-full`
 */
export async function openTestPattern(options: TestPatternOptions = {}): Promise<EncodedSource> {
  const { codec = 'vp8', width = 1280, height = 720, frameRate = 30, cacheDir } = options;
  const side = Math.round(Math.min(width, height) / 5);
  const picture =
    `testsrc2=size=${width}x${height}:rate=${frameRate}:duration=${SECONDS},` +
    `drawbox=x=iw-${side}:y=0:w=${side}:h=${side}:color=black:t=fill,` +
    `drawbox=x=iw-${side}:y=0:w=${side}:h=${side}:color=white:t=fill:enable='lt(mod(t,1),${BEEP_SECONDS})'`;
  const sound = `aevalsrc='if(lt(mod(t,1),${BEEP_SECONDS}),0.5*sin(2*PI*${BEEP_HZ}*t),0)':s=48000:d=${SECONDS}`;
  const prepare = async (): Promise<EncodeJob> => ({
    ffmpeg: await locate(options.ffmpeg),
    name: 'the test pattern',
    request: {
      input: ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound],
      video: { codec, layers: simulcastLayers(width, height), frameRate, still: false, stream: '0:v' },
      audio: { channels: 1, stream: '1:a' },
    },
  });
  const passes =
    cacheDir === undefined
      ? encodeWhilePlaying(await prepare(), true)
      : await openShared(
          new MediaCache(cacheDir, { maxBytes: options.cacheBytes }),
          await contentKey({ version: ENCODE_VERSION, codec, picture, sound }),
          prepare,
        );
  try {
    await ready(passes.first, options.signal);
  } catch (error) {
    await passes.close();
    throw error;
  }
  return new Player(tracksOf(passes, passes, true));
}

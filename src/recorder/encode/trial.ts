/** Tries out how pictures are encoded on this machine. */
import type { Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { EncoderRun } from './run.ts';
import type { EncodeSettings, VideoEncoding } from './settings.ts';
import { SOUND_CHANNELS, SOUND_RATE } from './types.ts';

/** Frames of one trial; x264 takes 5 to 20 ms for one. */
const PICTURES = 12;
/** Different pictures among them. */
const DISTINCT = 4;

/**
 * Encodes a few pictures of the real size. Answers the milliseconds that one took (of those that came back in time), or
 * `undefined` when the encoder does not work here.
 */
export async function tryEncoding(options: {
  readonly ffmpeg: Ffmpeg;
  readonly settings: EncodeSettings & Required<Pick<EncodeSettings, 'video'>>;
  readonly encoding: VideoEncoding;
  /** From the encoder's first sign of life on, milliseconds. */
  readonly budgetMs: number;
  /** Until that, milliseconds: drivers may take seconds to start. */
  readonly startMs: number;
}): Promise<number | undefined> {
  const { ffmpeg, settings, encoding, budgetMs, startMs } = options;
  const { width, height, fps } = settings.video;
  let startedAt: number | undefined;
  let encoded = 0;
  let lastAt = 0;
  let complete = false;
  const run = new EncoderRun({
    ffmpeg,
    settings,
    video: encoding,
    firstPicture: 0,
    firstSample: 0,
    onHeader: ({ video }) => {
      startedAt = performance.now();
      complete = settings.format === 'webm' || (video?.length ?? 0) > 0;
      clearTimeout(timer);
      timer = setTimeout(() => void run.close(), budgetMs);
    },
    onPicture: () => {
      encoded += 1;
      lastAt = performance.now();
    },
    onSound: () => {},
  });
  let timer = setTimeout(() => void run.close(), startMs);
  const pictures = Array.from({ length: DISTINCT }, (_, i) => trialPicture(width, height, i));
  const samples = Math.round((SOUND_RATE * PICTURES) / fps);
  run.writeSound(new Int16Array(samples * SOUND_CHANNELS));
  for (let i = 0; i < PICTURES; i += 1) run.writePicture(i, pictures[i % DISTINCT]!);
  run.end();
  const exit = await run.exit;
  clearTimeout(timer);
  if (startedAt === undefined || !complete) return undefined;
  if (exit.code === 0) {
    return encoded < PICTURES ? undefined : (performance.now() - startedAt) / PICTURES;
  }
  // Ended by us: too slow for the budget, or it gives nothing back.
  return exit.signal === null || encoded === 0 ? undefined : (lastAt - startedAt) / encoded;
}

/** A picture with as much to encode as a meeting's: texture in a third of it moves, the rest is still. */
function trialPicture(width: number, height: number, step: number): Uint8Array {
  const picture = new Uint8Array((width * height * 3) / 2).fill(128);
  const tile = Math.max(2, Math.floor(width / 3));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const moving = x % tile > tile / 3 && x % tile < (tile * 2) / 3;
      const u = moving ? x + 2 * step : x;
      // A hash of the place: the same texture wherever it has moved to.
      const hash = Math.imul((u >> 1) * 374_761 + (y >> 1) * 668_265, 1_274_126_177) >>> 26;
      picture[y * width + x] = 60 + ((u + y) & 63) + hash;
    }
  }
  return picture;
}

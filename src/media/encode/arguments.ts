import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { VideoCodec, VideoLayer } from '../types.ts';
import { CODECS, encoderFor } from './codecs.ts';
import { keyFrameExpression, LEVELS, levelFilter, TICKS_PER_SECOND } from './keyframe-grid.ts';

/**
 * Changed whenever an encoder setting or the layout of what is stored changes, so that what an older version put
 * into the cache is not used.
 */
export const ENCODE_VERSION = 2;

/** Pictures a second and seconds of a still image: enough for a viewer to see that the stream lives. */
const STILL_RATE = 10;

/**
 * Pictures that follow closer than 1/70 s are left out: no viewer shows them, and encoders cost by the picture. 60 a
 * second stay, also with the whole milliseconds of Matroska.
 */
const MIN_SPACING_TICKS = Math.floor(TICKS_PER_SECOND / 70);

/**
 * What libopus delays at 48 kHz (RFC 7845 section 4.2 calls it pre-skip). As many samples are cut from the start, so
 * that packet n holds exactly the sound of n × 20 ms.
 */
const OPUS_DELAY_SAMPLES = 312;

export const AUDIO_RATE = 48_000;

/** What is to be made of one input. */
export interface EncodeRequest {
  /** Arguments that open the input, up to and with its `-i`. */
  readonly input: readonly string[];
  readonly video?: {
    readonly codec: VideoCodec;
    readonly layers: readonly VideoLayer[];
    readonly frameRate: number;
    /** One picture, shown for a second that is repeated. */
    readonly still: boolean;
    readonly stream: string;
  };
  readonly audio?: { readonly channels: 1 | 2; readonly stream: string };
}

/** What comes out of one pipe. */
export type EncodeOutput =
  | { readonly type: 'video'; readonly layer: number; readonly level: number; readonly codec: VideoCodec }
  | { readonly type: 'opus' }
  | { readonly type: 'pcm'; readonly channels: 1 | 2 };

/** Arguments of the one ffmpeg that makes all layers, levels and sound; output i goes to `pipe:(3 + i)`. */
export function encodeArguments(
  ffmpeg: Ffmpeg,
  request: EncodeRequest,
): { args: string[]; outputs: EncodeOutput[] } {
  const outputs: EncodeOutput[] = [];
  const filters: string[] = [];
  const maps: string[] = [];
  const pipe = (output: EncodeOutput) => {
    outputs.push(output);
    return ['-map_metadata', '-1', '-flush_packets', '1', `pipe:${outputs.length + 2}`];
  };

  if (request.video) {
    const { codec, layers, still, stream } = request.video;
    const encoder = encoderFor(codec, ffmpeg);
    // libavcodec 60 came with ffmpeg 6; -vsync is gone in 8, -fps_mode came with 5.1.
    const keepTimes = ffmpeg.libavcodec[0] >= 60 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];
    filters.push(videoFilter(layers, still, stream));
    layers.forEach((layer, index) => {
      const fromLargest = layers.length - 1 - index;
      for (const level of LEVELS) {
        maps.push(
          ...['-map', `[v${fromLargest}l${level}]`, ...keepTimes, '-enc_time_base', `1:${TICKS_PER_SECOND}`],
          ...[
            '-c:v',
            encoder.name,
            ...encoder.args(layer.bitrate, ffmpeg.libavcodec),
            '-threads',
            '1',
            '-g',
            '9999',
          ],
          ...['-force_key_frames', keyFrameExpression(level)],
          ...(CODECS[codec].container === 'ivf'
            ? ['-f', 'ivf']
            : ['-muxdelay', '0', '-muxpreload', '0', '-f', 'mpegts']),
          ...pipe({ type: 'video', layer: index, level, codec }),
        );
      }
    });
  }

  if (request.audio) {
    const { channels, stream } = request.audio;
    filters.push(
      `[${stream}]aresample=${AUDIO_RATE}:async=1:first_pts=0,` +
        `aformat=sample_fmts=s16:channel_layouts=${channels === 1 ? 'mono' : 'stereo'},asplit=2[pcm][sound];` +
        `[sound]atrim=start_sample=${OPUS_DELAY_SAMPLES},asetpts=PTS-STARTPTS[opus]`,
    );
    maps.push(
      ...['-map', '[opus]', ...opusArguments(ffmpeg, channels), ...pipe({ type: 'opus' })],
      ...['-map', '[pcm]', '-c:a', 'pcm_s16le', '-f', 's16le', ...pipe({ type: 'pcm', channels })],
    );
  }

  // Two graphs: a change of picture size within a file must not start the sound's graph again.
  const graphs = filters.flatMap((filter) => ['-filter_complex', filter]);
  return { args: ['-v', 'error', ...request.input, ...graphs, ...maps], outputs };
}

/** Encodes sound to Opus in Ogg, each packet of 20 ms in a page of its own. */
export function opusArguments(ffmpeg: Ffmpeg, channels: 1 | 2): string[] {
  return [
    // Speech at these rates stays in Opus' SILK and hybrid modes, the only ones with in-band FEC.
    ...['-c:a', 'libopus', '-application', 'voip', '-frame_duration', '20'],
    ...['-b:a', channels === 1 ? '32k' : '48k', '-packet_loss', '10'],
    ...(ffmpeg.opusFecOption ? ['-fec', '1'] : []),
    ...['-page_duration', '20000', '-f', 'ogg'],
  ];
}

/** Layers are scaled from one another, the largest first; label `v0` is the largest. */
function videoFilter(layers: readonly VideoLayer[], still: boolean, stream: string): string {
  const spacing = `gte(pts,0)*(isnan(prev_selected_pts)+gte(pts-prev_selected_pts,${MIN_SPACING_TICKS}))`;
  const times = still
    ? `loop=loop=${STILL_RATE - 1}:size=1:start=0,setpts=N*${TICKS_PER_SECOND / STILL_RATE}`
    : // The first picture is shown from the start: keyframes are counted from it.
      `select='${spacing}',setpts='if(eq(N,0),0,PTS)'`;
  const chains = [`[${stream}]settb=1/${TICKS_PER_SECOND},${times}[in0]`];
  [...layers].reverse().forEach((layer, index) => {
    const last = index === layers.length - 1;
    const branches = LEVELS.map((level) => `[s${index}l${level}]`).join('');
    chains.push(
      `[in${index}]scale=${layer.width}:${layer.height}:flags=${index === 0 ? 'bicubic' : 'bilinear'},` +
        `setsar=1,format=yuv420p,split=${LEVELS.length + (last ? 0 : 1)}${branches}${last ? '' : `[in${index + 1}]`}`,
      ...LEVELS.map((level) => `[s${index}l${level}]${levelFilter(level)}[v${index}l${level}]`),
    );
  });
  return chains.join(';');
}

/** What ffmpeg is told: codecs, their settings, containers. */
import { compareVersions, type Ffmpeg } from '../../media/ffmpeg/locate.ts';
import { PICTURE_TICKS } from './mp4/write.ts';
import { SOUND_CHANNELS, SOUND_RATE, type StreamShape } from './types.ts';

/** A way to encode pictures. */
export interface VideoEncoding {
  /** ffmpeg's name of the encoder. */
  readonly encoder: string;
  /** Which of its settings, for people; empty where there is only one. */
  readonly step: string;
  /** Options before the input. */
  readonly device: readonly string[];
  /** Options of the output, without rates and keyframes. */
  readonly options: readonly string[];
}

/** How a recording is encoded, whichever encoder does it. */
export interface EncodeSettings extends StreamShape {
  /** Of the pictures, bits a second. */
  readonly bitrate: number;
  /** Of WebM: VP8 unless given. */
  readonly webmCodec?: 'vp8' | 'vp9';
}

/** A keyframe begins each fragment, so that what follows on a lost one can be shown at once. */
export const FRAGMENT_SECONDS = 1;
/** How much ffmpeg holds back before it writes; what is lost with an ffmpeg that is killed. */
const FLUSH_MS = 100;
/** Voices in stereo; 128 kbit/s are beyond what can be heard of them. */
const AAC_BITRATE = 128_000;
const OPUS_BITRATE = 96_000;
/** Peaks of the picture's rate, and the seconds of it that a player must hold. */
const PEAK_RATE = 2;
const BUFFER_SECONDS = 3;

/**
 * What all steps of x264 have in common: everything that stands in the parameter sets, so that a step may take over
 * in the middle of a file. Fixed B-pictures cost less than the P-pictures that they take the place of, and searching
 * one reference in a diamond is enough for pictures that move little.
 */
const X264_COMMON =
  'cabac=1:8x8dct=1:deblock=0,0:ref=1:weightp=0:weightb=0:b-adapt=0:b-pyramid=none:scenecut=0:me=dia:trellis=0:direct=spatial';

/**
 * Steps of x264, the best first; `cost` is in parts of the first. Nine moving tiles in 720p30 at 2 Mbit/s with a keyframe
 * a second, CPU-seconds a second and SSIM: 0.25 and 16.2 dB, 0.17 and 15.5 dB, 0.16 and 15.1 dB. Beside them in the same
 * run x264's own `veryfast` 0.50 and 16.3 dB, `superfast` 0.28 and 15.4 dB. The machine had other work to do.
 */
export const X264_STEPS: readonly {
  readonly step: string;
  readonly params: string;
  readonly cost: number;
}[] = [
  {
    step: 'high',
    params: 'bframes=3:mbtree=1:rc-lookahead=10:subme=1:aq-mode=1:aq-strength=0.6:analyse=i4x4,i8x8',
    cost: 1,
  },
  { step: 'medium', params: 'bframes=1:mbtree=1:rc-lookahead=10:subme=0:aq-mode=0:analyse=none', cost: 0.75 },
  { step: 'low', params: 'bframes=1:mbtree=0:rc-lookahead=0:subme=0:aq-mode=0:analyse=none', cost: 0.65 },
];

export function x264Encoding(index: number, threads: number): VideoEncoding {
  const { step, params } = X264_STEPS[index]!;
  return {
    encoder: 'libx264',
    step,
    device: [],
    options: [
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-profile:v', 'high', '-threads', String(threads)],
      // Slices rather than whole pictures side by side: no picture more is on its way, and it costs less.
      ...['-x264-params', `${X264_COMMON}:${params}${threads > 1 ? ':sliced-threads=1' : ''}`],
    ],
  };
}

/** Realtime VP8 or VP9, the fastest settings first that still look well. */
export function vpxEncoding(codec: 'vp8' | 'vp9', step: 'high' | 'low', threads: number): VideoEncoding {
  const options = [
    '-deadline',
    'realtime',
    '-auto-alt-ref',
    '0',
    '-lag-in-frames',
    '0',
    '-error-resilient',
    '0',
  ];
  const speed = codec === 'vp8' ? { high: '10', low: '15' } : { high: '8', low: '8' };
  return {
    encoder: codec === 'vp8' ? 'libvpx' : 'libvpx-vp9',
    step,
    device: [],
    options: [
      ...['-c:v', codec === 'vp8' ? 'libvpx' : 'libvpx-vp9', ...options, '-cpu-used', speed[step]],
      ...(codec === 'vp9' ? ['-row-mt', '1', '-tile-columns', '1'] : []),
      ...['-threads', String(threads)],
    ],
  };
}

/** Arguments of one ffmpeg that reads `rawHeader` and what follows from its standard input and writes to `pipe:3`. */
export function encodeArguments(
  ffmpeg: Ffmpeg,
  settings: EncodeSettings,
  video: VideoEncoding | undefined,
  /** Number of the first picture in the output: keyframes fall on whole fragments. */
  firstPicture: number,
): string[] {
  return [
    ...['-v', 'error', ...(video?.device ?? [])],
    ...['-threads', '1', '-probesize', '32', '-analyzeduration', '0', '-f', 'matroska', '-i', 'pipe:0'],
    ...(video && settings.video
      ? pictureArguments(ffmpeg, settings, settings.video.fps, video, firstPicture)
      : []),
    ...['-map', '0:a', '-ar', String(SOUND_RATE), '-ac', String(SOUND_CHANNELS)],
    ...(settings.format === 'webm'
      ? ['-c:a', 'libopus', '-b:a', String(OPUS_BITRATE), '-frame_duration', '20']
      : // The fast search takes a third of the other's time.
        ['-c:a', 'aac', '-b:a', String(AAC_BITRATE), '-aac_coder', 'fast', '-cutoff', '20000']),
    ...['-flush_packets', '1', ...container(settings), 'pipe:3'],
  ];
}

function pictureArguments(
  ffmpeg: Ffmpeg,
  { bitrate }: EncodeSettings,
  fps: number,
  video: VideoEncoding,
  firstPicture: number,
): string[] {
  const gop = fps * FRAGMENT_SECONDS;
  // 5.1 has another name for the option, and the old one is to go.
  const mode = compareVersions(ffmpeg, { libavcodec: [59, 37, 0] }) >= 0 ? '-fps_mode' : '-vsync';
  return [
    ...['-map', '0:v', '-r', String(fps), mode, 'cfr', ...video.options],
    ...['-b:v', String(bitrate), '-maxrate', String(bitrate * PEAK_RATE)],
    ...['-bufsize', String(bitrate * BUFFER_SECONDS), '-g', String(gop)],
    ...['-force_key_frames', `expr:not(mod(n+${firstPicture % gop},${gop}))`],
  ];
}

function container({ format, video }: EncodeSettings): string[] {
  if (format === 'webm') {
    return ['-f', 'webm', '-live', '1', '-cluster_time_limit', String(FLUSH_MS), '-write_crc32', '0'];
  }
  return [
    ...['-f', format === 'm4a' ? 'ipod' : 'mp4', '-movflags', 'empty_moov+default_base_moof'],
    ...['-frag_duration', String(FLUSH_MS * 1000), '-brand', format === 'm4a' ? 'M4A ' : 'iso6'],
    ...(video ? ['-video_track_timescale', String(video.fps * PICTURE_TICKS)] : []),
  ];
}

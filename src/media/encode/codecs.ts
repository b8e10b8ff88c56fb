import { MeetError } from '../../protocol/errors.ts';
import type { Ffmpeg } from '../ffmpeg/locate.ts';
import type { VideoCodec } from '../types.ts';
import { temporalLayerArguments } from './vp8-temporal-layers.ts';

/** How one codec is encoded for simulcast from a file or a device, and how its stream is read from ffmpeg. */
export interface CodecEncoder {
  /** ffmpeg's encoders for it, the preferred first. */
  readonly encoders: readonly {
    readonly name: string;
    /** Lowest libavcodec major version whose binding has the options below. */
    readonly sinceLibavcodec?: number;
    readonly args: (bitrate: number, libavcodec: Ffmpeg['libavcodec']) => readonly string[];
  }[];
  /** Container on the pipe: IVF for what it can hold; MPEG-TS gives H.264 as Annex B with times. */
  readonly container: 'ivf' | 'mpegts';
  /** Whether an encoded picture decodes without any before it. */
  readonly isKeyFrame: (picture: Buffer) => boolean;
}

const kbit = (bitrate: number) => `${Math.round(bitrate / 1000)}k`;

/** Constant bit rate with a buffer of a second: what a network path with a fixed share wants. */
const constantRate = (bitrate: number): string[] => [
  ...['-b:v', kbit(bitrate), '-minrate', kbit(bitrate), '-maxrate', kbit(bitrate)],
  ...['-bufsize', kbit(bitrate)],
];

/**
 * `-cpu-used -8` fixes VP8's speed, whereas 8 lets libvpx choose it by how busy the machine happens to be (0.45
 * against 0.27 CPU seconds a second for three layers here). 16 is faster, but 2.4 dB worse. VP9 knows no such choice.
 */
const libvpx = (speed: string) => (bitrate: number) => [
  ...['-deadline', 'realtime', '-cpu-used', speed, '-lag-in-frames', '0', '-auto-alt-ref', '0'],
  ...['-static-thresh', '100', '-undershoot-pct', '100', '-overshoot-pct', '15', ...constantRate(bitrate)],
];

/**
 * Options of libvpx for a screen. No temporal layers, as every second picture would build on none of those that made the
 * text crisp; no threshold below which blocks stay as they are, for the same reason.
 */
export function screenArguments(codec: 'vp8' | 'vp9', bitrate: number): string[] {
  return [
    ...['-deadline', 'realtime', '-cpu-used', codec === 'vp8' ? '-8' : '8', '-lag-in-frames', '0'],
    ...['-auto-alt-ref', '0', '-error-resilient', '1', ...constantRate(bitrate)],
    ...['-qmin', '4', '-qmax', '56'],
  ];
}

export const CODECS: Readonly<Record<VideoCodec, CodecEncoder>> = {
  vp8: {
    encoders: [
      {
        name: 'libvpx',
        args: (bitrate, libavcodec) => [
          ...libvpx('-8')(bitrate),
          ...temporalLayerArguments(bitrate, libavcodec),
        ],
      },
    ],
    container: 'ivf',
    isKeyFrame: isVp8KeyFrame,
  },
  vp9: {
    encoders: [{ name: 'libvpx-vp9', args: libvpx('8') }],
    container: 'ivf',
    isKeyFrame: isVp9KeyFrame,
  },
  h264: {
    encoders: [
      {
        name: 'libx264',
        args: (bitrate) => [
          ...['-preset', 'veryfast', '-tune', 'zerolatency', '-profile:v', 'baseline', '-bf', '0'],
          ...['-forced-idr', '1', '-sc_threshold', '0', '-b:v', kbit(bitrate)],
          ...['-maxrate', kbit(bitrate), '-bufsize', kbit(bitrate)],
        ],
      },
    ],
    container: 'mpegts',
    isKeyFrame: (picture) => hasNalUnit(picture, 5),
  },
  av1: {
    encoders: [
      {
        name: 'libaom-av1',
        // The binding got `-usage realtime` with libavcodec 59; without it libaom needs seconds for a picture.
        sinceLibavcodec: 59,
        args: (bitrate) => [
          ...['-usage', 'realtime', '-cpu-used', '8', '-lag-in-frames', '0', '-row-mt', '1'],
          ...constantRate(bitrate),
        ],
      },
    ],
    container: 'ivf',
    isKeyFrame: hasSequenceHeader,
  },
};

/**
 * The encoder of this ffmpeg for a codec.
 *
 * @throws MeetError `ffmpeg-missing` when it was built without one that is fast enough
 */
export function encoderFor(codec: VideoCodec, ffmpeg: Ffmpeg): CodecEncoder['encoders'][number] {
  const encoder = CODECS[codec].encoders.find(
    ({ name, sinceLibavcodec = 0 }) => ffmpeg.encoders.has(name) && ffmpeg.libavcodec[0] >= sinceLibavcodec,
  );
  if (encoder) return encoder;
  throw new MeetError(
    'ffmpeg-missing',
    `The ffmpeg at ${ffmpeg.path} (${ffmpeg.version}) has no real-time encoder for ${codec.toUpperCase()}.`,
    { hint: 'Choose another codec, or set MEET_FFMPEG to an ffmpeg that has one.' },
  );
}

/** RFC 6386 section 9.1: the first bit of a frame is 0 in keyframes. */
function isVp8KeyFrame(picture: Buffer): boolean {
  return picture.length > 0 && (picture[0]! & 1) === 0;
}

/** VP9 bitstream specification section 6.2: frame_marker, profile, show_existing_frame, frame_type. */
function isVp9KeyFrame(picture: Buffer): boolean {
  const bits = picture[0] ?? 0xff;
  const profile3 = (bits & 0x30) === 0x30;
  const showExisting = profile3 ? bits & 0x04 : bits & 0x08;
  const interFrame = profile3 ? bits & 0x02 : bits & 0x04;
  return showExisting === 0 && interFrame === 0;
}

/** Whether an Annex B access unit (ITU-T H.264) has a NAL unit of the type. */
function hasNalUnit(accessUnit: Buffer, type: number): boolean {
  for (let at = accessUnit.indexOf('000001', 0, 'hex'); at !== -1; ) {
    if ((accessUnit[at + 3]! & 0x1f) === type) return true;
    at = accessUnit.indexOf('000001', at + 3, 'hex');
  }
  return false;
}

/** AV1 section 7.5: a temporal unit that starts a coded video sequence has a sequence header OBU (type 1). */
function hasSequenceHeader(temporalUnit: Buffer): boolean {
  let at = 0;
  while (at < temporalUnit.length) {
    const header = temporalUnit[at]!;
    const type = (header >> 3) & 0x0f;
    if (type === 1) return true;
    at += header & 0x04 ? 2 : 1;
    if ((header & 0x02) === 0) return false;
    let size = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = temporalUnit[at++] ?? 0;
      size += (byte & 0x7f) * 2 ** shift;
      if ((byte & 0x80) === 0) break;
    }
    at += size;
  }
  return false;
}

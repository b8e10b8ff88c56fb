/** Writes WebM for two tracks, a cluster a fragment (RFC 9559). */
import {
  element,
  elementId,
  floatElement,
  stringElement,
  UNKNOWN_SIZE,
  uintElement,
} from '../../../media/save/ebml.ts';
import {
  type FragmentWriter,
  SOUND_CHANNELS,
  SOUND_RATE,
  type StreamHeader,
  type StreamShape,
} from '../types.ts';

const SEGMENT = 0x18538067;
const CLUSTER = 0x1f43b675;
const NS_PER_MS = 1_000_000;
/** What a decoder needs before a place that is sought, RFC 7845 section 4.6. */
const OPUS_SEEK_PRE_ROLL_NS = 80 * NS_PER_MS;
const VIDEO_TRACK = 1;
const AUDIO_TRACK = 2;

export function webmWriter(codec: 'vp8' | 'vp9', video: NonNullable<StreamShape['video']>): FragmentWriter {
  const pictureMs = (picture: number) => Math.round((picture * 1000) / video.fps);
  const soundMs = (sample: number) => Math.round((sample * 1000) / SOUND_RATE);
  return {
    init: (header) => webmHeader(codec, video, header),
    fragment: ({ pictures, sounds }) => {
      const blocks = [
        ...pictures.map(({ data, keyframe, show }) => ({
          track: VIDEO_TRACK,
          data,
          keyframe,
          timeMs: pictureMs(show),
        })),
        ...sounds.map(({ data, at }) => ({ track: AUDIO_TRACK, data, keyframe: true, timeMs: soundMs(at) })),
      ].sort((a, b) => a.timeMs - b.timeMs);
      const startMs = blocks[0]?.timeMs ?? 0;
      return element(
        CLUSTER,
        uintElement(0xe7, startMs),
        ...blocks.map(({ track, data, keyframe, timeMs }) => {
          const head = Buffer.from([0x80 | track, 0, 0, keyframe ? 0x80 : 0]);
          head.writeInt16BE(timeMs - startMs, 1);
          return element(0xa3, head, data);
        }),
      );
    },
  };
}

/** Everything before the first cluster. */
function webmHeader(
  codec: 'vp8' | 'vp9',
  { width, height, fps }: NonNullable<StreamShape['video']>,
  { video, audio }: StreamHeader,
): Buffer {
  // OpusHead, RFC 7845 section 5.1: the samples to be skipped, little-endian at byte 10.
  const preSkip = audio.readUInt16LE(10);
  return Buffer.concat([
    element(
      0x1a45dfa3,
      uintElement(0x4286, 1),
      uintElement(0x42f7, 1),
      uintElement(0x42f2, 4),
      uintElement(0x42f3, 8),
      stringElement(0x4282, 'webm'),
      uintElement(0x4287, 4),
      uintElement(0x4285, 2),
    ),
    elementId(SEGMENT),
    UNKNOWN_SIZE,
    element(
      0x1549a966,
      uintElement(0x2ad7b1, NS_PER_MS),
      stringElement(0x4d80, 'meet'),
      stringElement(0x5741, 'meet'),
    ),
    element(
      0x1654ae6b,
      element(
        0xae,
        uintElement(0xd7, VIDEO_TRACK),
        uintElement(0x73c5, VIDEO_TRACK),
        uintElement(0x83, 1),
        uintElement(0x9c, 0),
        uintElement(0x23e383, Math.round(1e9 / fps)),
        stringElement(0x86, codec === 'vp8' ? 'V_VP8' : 'V_VP9'),
        ...(video && video.length > 0 ? [element(0x63a2, video)] : []),
        element(0xe0, uintElement(0xb0, width), uintElement(0xba, height)),
      ),
      element(
        0xae,
        uintElement(0xd7, AUDIO_TRACK),
        uintElement(0x73c5, AUDIO_TRACK),
        uintElement(0x83, 2),
        uintElement(0x9c, 0),
        stringElement(0x86, 'A_OPUS'),
        element(0x63a2, audio),
        uintElement(0x56aa, Math.round((preSkip * 1e9) / SOUND_RATE)),
        uintElement(0x56bb, OPUS_SEEK_PRE_ROLL_NS),
        element(0xe1, floatElement(0xb5, SOUND_RATE), uintElement(0x9f, SOUND_CHANNELS)),
      ),
    ),
  ]);
}

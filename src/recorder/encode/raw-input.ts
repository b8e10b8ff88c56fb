/**
 * What an encoder reads: raw pictures and sound in one Matroska stream (RFC 9559). It is the one container that
 * carries each picture's time to ffmpeg, so that a picture that has not changed need not be sent again: ffmpeg repeats
 * the one before it. Sound and pictures in one pipe keep their order whatever either is late by.
 */
import {
  dataSize,
  element,
  elementId,
  floatElement,
  stringElement,
  UNKNOWN_SIZE,
  uintElement,
} from '../../media/save/ebml.ts';
import { SOUND_CHANNELS, SOUND_RATE, type StreamShape } from './types.ts';

const CLUSTER = 0x1f43b675;
const SIMPLE_BLOCK = 0xa3;
const VIDEO_TRACK = 1;
const AUDIO_TRACK = 2;
/** Times are in tenths of a millisecond: a picture in 60 a second is not a whole number of milliseconds. */
const TICK_NS = 100_000;
const TICKS_PER_SECOND = 1e9 / TICK_NS;

/** What stands before the first picture and the first sound. */
export function rawHeader({ video }: StreamShape): Buffer {
  const tracks = [
    ...(video
      ? [
          element(
            0xae,
            uintElement(0xd7, VIDEO_TRACK),
            uintElement(0x73c5, VIDEO_TRACK),
            uintElement(0x83, 1),
            uintElement(0x9c, 0),
            uintElement(0x23e383, Math.round(1e9 / video.fps)),
            stringElement(0x86, 'V_UNCOMPRESSED'),
            element(
              0xe0,
              uintElement(0xb0, video.width),
              uintElement(0xba, video.height),
              element(0x2eb524, Buffer.from('I420', 'latin1')),
            ),
          ),
        ]
      : []),
    element(
      0xae,
      uintElement(0xd7, AUDIO_TRACK),
      uintElement(0x73c5, AUDIO_TRACK),
      uintElement(0x83, 2),
      uintElement(0x9c, 0),
      stringElement(0x86, 'A_PCM/INT/LIT'),
      element(
        0xe1,
        floatElement(0xb5, SOUND_RATE),
        uintElement(0x9f, SOUND_CHANNELS),
        uintElement(0x6264, 16),
      ),
    ),
  ];
  return Buffer.concat([
    element(0x1a45dfa3, stringElement(0x4282, 'matroska'), uintElement(0x4287, 2), uintElement(0x4285, 2)),
    elementId(0x18538067),
    UNKNOWN_SIZE,
    element(
      0x1549a966,
      uintElement(0x2ad7b1, TICK_NS),
      stringElement(0x4d80, 'meet'),
      stringElement(0x5741, 'meet'),
    ),
    element(0x1654ae6b, ...tracks),
  ]);
}

/** What stands before a picture of so many bytes; `picture` is its number since the stream began. */
export function picturePrefix(picture: number, fps: number, bytes: number): Buffer {
  return blockPrefix(VIDEO_TRACK, Math.round((picture * TICKS_PER_SECOND) / fps), bytes);
}

/** What stands before sound of so many bytes; `sample` is the number of its first one since the stream began. */
export function soundPrefix(sample: number, bytes: number): Buffer {
  return blockPrefix(AUDIO_TRACK, Math.round((sample * TICKS_PER_SECOND) / SOUND_RATE), bytes);
}

/** A cluster of its own for each block, since a block's time in its cluster has 16 bits. */
function blockPrefix(track: number, ticks: number, bytes: number): Buffer {
  const time = uintElement(0xe7, ticks);
  const blockBytes = 4 + bytes;
  const block = Buffer.concat([
    elementId(SIMPLE_BLOCK),
    dataSize(blockBytes),
    Buffer.from([0x80 | track, 0, 0, 0x80]),
  ]);
  return Buffer.concat([elementId(CLUSTER), dataSize(time.length + block.length + bytes), time, block]);
}

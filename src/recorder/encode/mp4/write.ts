/** Writes movie fragments, ISO/IEC 14496-12 section 8.8. */
import { type CodedPicture, type CodedSound, type FragmentWriter, SOUND_RATE } from '../types.ts';
import { box, fullBox, uint32, uint64 } from './boxes.ts';

const DEFAULT_BASE_IS_MOOF = 0x020000;
const DATA_OFFSET = 0x1;
const DURATION = 0x100;
const SIZE = 0x200;
const FLAGS = 0x400;
const COMPOSITION_OFFSET = 0x800;
/** Depends on no other sample, and on others without being one to begin with, section 8.8.3.1. */
const SYNC_SAMPLE = 0x02000000;
const OTHER_SAMPLE = 0x01010000;

/** Ticks of a picture in the video track's time: its timescale is this times the pictures a second. */
export const PICTURE_TICKS = 1000;

/**
 * Everything is shown so many pictures after its output time. A B-picture is decoded after the picture that it precedes;
 * with negative composition offsets instead, ffmpeg's demuxer would show all pictures one later than the sound.
 */
const DELAY_PICTURES = 1;

/** `fps` is absent for sound alone. Track numbers are those that ffmpeg gives: pictures come first. */
export function mp4Writer(fps: number | undefined): FragmentWriter {
  const videoTrack = 1;
  const audioTrack = fps === undefined ? 1 : 2;
  const soundDelay = fps === undefined ? 0 : Math.round((DELAY_PICTURES * SOUND_RATE) / fps);
  return {
    init: ({ bytes }) => bytes,
    fragment: ({ sequence, pictures, sounds, end }) => {
      const movie = (videoAt: number, audioAt: number): Buffer =>
        box(
          'moof',
          fullBox('mfhd', 0, 0, uint32(sequence)),
          ...(pictures.length === 0 ? [] : [pictureTrack(videoTrack, pictures, end.picture, videoAt)]),
          ...(sounds.length === 0 ? [] : [soundTrack(audioTrack, sounds, end.sample, soundDelay, audioAt)]),
        );
      // The sizes do not depend on the offsets.
      const dataAt = movie(0, 0).length + 8;
      const pictureBytes = pictures.reduce((sum, { data }) => sum + data.length, 0);
      const data = box('mdat', ...pictures.map((one) => one.data), ...sounds.map((one) => one.data));
      return Buffer.concat([movie(dataAt, dataAt + pictureBytes), data]);
    },
  };
}

function pictureTrack(id: number, pictures: readonly CodedPicture[], end: number, dataAt: number): Buffer {
  const rows = pictures.flatMap(({ data, keyframe, decode, show }, i) => [
    Math.max(1, (pictures[i + 1]?.decode ?? end) - decode) * PICTURE_TICKS,
    data.length,
    keyframe ? SYNC_SAMPLE : OTHER_SAMPLE,
    (show - decode + DELAY_PICTURES) * PICTURE_TICKS,
  ]);
  return box(
    'traf',
    fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, uint32(id)),
    fullBox('tfdt', 1, 0, uint64(pictures[0]!.decode * PICTURE_TICKS)),
    fullBox(
      'trun',
      0,
      DATA_OFFSET | DURATION | SIZE | FLAGS | COMPOSITION_OFFSET,
      uint32(pictures.length, dataAt, ...rows),
    ),
  );
}

function soundTrack(
  id: number,
  sounds: readonly CodedSound[],
  end: number,
  delay: number,
  dataAt: number,
): Buffer {
  const rows = sounds.flatMap(({ data, at }, i) => [
    Math.max(1, (sounds[i + 1]?.at ?? end) - at),
    data.length,
  ]);
  return box(
    'traf',
    fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF | 0x20, uint32(id, SYNC_SAMPLE)),
    fullBox('tfdt', 1, 0, uint64(sounds[0]!.at + delay)),
    fullBox('trun', 0, DATA_OFFSET | DURATION | SIZE, uint32(sounds.length, dataAt, ...rows)),
  );
}

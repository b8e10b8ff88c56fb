/** What a finished recording of each format is like. */
import type { RecordingFormat } from '../../types.ts';

interface Container {
  /** ffmpeg's name of the muxer. */
  readonly muxer: string;
  /** ffmpeg's name of the codec that subtitles have in it; WebM takes WebVTT as it is, with its speakers. */
  readonly subtitles: string;
  /** Arguments that put the index in front of the media, so that playing begins before all is there. */
  indexInFront(seconds: number): readonly string[];
}

const MP4: Container = {
  muxer: 'mp4',
  subtitles: 'mov_text',
  indexInFront: () => ['-movflags', '+faststart'],
};

/** Bytes that an index has at most in Matroska: for its beginning, and for each second, in which a keyframe is. */
const WEBM_INDEX_BYTES = 65_536;
const WEBM_INDEX_BYTES_A_SECOND = 48;

export const CONTAINERS: Readonly<Record<RecordingFormat, Container>> = {
  mp4: MP4,
  // The iPod muxer, which makes M4A by default, takes no subtitles.
  m4a: { ...MP4, indexInFront: () => [...MP4.indexInFront(0), '-brand', 'M4A '] },
  webm: {
    muxer: 'webm',
    subtitles: 'copy',
    indexInFront: (seconds) => [
      '-reserve_index_space',
      String(WEBM_INDEX_BYTES + Math.ceil(seconds * WEBM_INDEX_BYTES_A_SECOND)),
    ],
  },
};
